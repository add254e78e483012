"""Images between an engine and registries."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import docker

from runnerkit.engine import logins
from runnerkit.engine.failure import fix, text
from runnerkit.errors import KitError
from runnerkit.events import Detail, Progress, Tell
from runnerkit.plan import Pull
from runnerkit.redact import mask

NO_PULL = "cannot pull"  # how the failure of a pull begins
UNREACHED = re.compile(
    "(?i)no such host|i/o timeout|deadline exceeded|refused|unreachable|no route"
)
MIRRORLESS = (
    "this Docker has no registry mirror, and does not reach that registry: ./inv mirror.probe --host HOST "
    "tells which mirrors serve it, and by --write the settings name them; bundle.make takes a host that has "
    "some by --from"
)
# What the engine says of a layer that has come; it does not count up to its last byte.
WHOLE = ("Verifying Checksum", "Download complete", "Pull complete")


class TransferError(Exception):
    """An error that the engine told in the midst of a stream."""


def pull(client: docker.APIClient, change: Pull, tell: Tell) -> None:
    """Pull from the first source that has the image, and give it the wanted name.

    Raises:
        KitError: none has it.
    """
    failures, denied = [], ""
    for source in change.sources:
        name, _, tag = source.rpartition(":") if "@" not in source else (source, "", "")
        if "/" in tag or not name:
            name, tag = source, "latest"
        known = logins.for_pull(client, source, change.logins)
        try:
            events = client.pull(
                name,
                tag=tag or None,
                stream=True,
                decode=True,
                platform=change.platform or None,
                auth_config=known.config,
            )
            _follow(events, "Downloading", tell)
        except (docker.errors.APIError, TransferError) as error:
            failures.append(f"{source}: {mask(text(error))}")
            denied = denied or (known.fix if logins.WANTED.search(text(error)) else "")
            continue
        if source != change.image:
            repository, _, wanted = change.image.rpartition(":")
            client.tag(source, repository, wanted, force=True)
        return
    mirrors = client.info().get("RegistryConfig", {}).get("Mirrors") or []
    by = f" (mirrors tried: {', '.join(mirrors)})" if mirrors else " (no registry mirror is set)"
    usual = (
        "check the name (an image of your own is a folder of dockerfiles/); behind a firewall set"
        " [docker] registry_mirrors to one that has the image"
    )
    if not mirrors and UNREACHED.search(failures[-1]):
        usual = MIRRORLESS
    if denied:  # or of another name: a registry may not tell which
        usual = f"{denied}; or {usual}"
    raise KitError(f"{NO_PULL} {' or '.join(failures)}{by}{change.near}", fix(failures[-1], usual))


def push(client: docker.APIClient, reference: str, auth: Mapping[str, str], tell: Tell) -> None:
    """Push an image to the registry that its name says.

    Args:
        client: the engine that has it.
        reference: the image's name there, registry and tag included.
        auth: ``username`` and ``password``, or {} for this machine's own login there.
        tell: told how far it is.

    Raises:
        KitError: the registry refuses it or cannot be reached.
    """
    try:
        login = dict(auth) or logins.own(reference)
        events = client.push(reference, stream=True, decode=True, auth_config=login)
        _follow(events, "Pushing", tell)
    except (docker.errors.APIError, TransferError) as error:
        output = mask(text(error))
        usual = "check the name, and REGISTRY_USER and REGISTRY_PASSWORD in the environment"
        if UNREACHED.search(output):
            usual = "check the registry's name, and that the machine which pushes reaches it"
        raise KitError(f"cannot push {reference}: {output}", fix(output, usual)) from None


def _follow(events: Iterator[dict[str, Any]], verb: str, tell: Tell) -> None:
    """Tell how far a transfer is; when all has come, that it is unpacked, which takes as long again."""
    layers: dict[str, tuple[int, int]] = {}
    for event in events:
        if "error" in event:
            raise TransferError(event["error"])
        detail, status = event.get("progressDetail") or {}, event.get("status")
        layer = str(event.get("id", ""))
        if status == verb and "total" in detail:
            layers[layer] = (detail.get("current", 0), detail["total"])
        elif status in WHOLE and layer in layers:
            layers[layer] = (layers[layer][1],) * 2
        elif status != "Extracting":
            continue
        done, total = (sum(numbers) for numbers in zip(*layers.values() or [(0, 0)], strict=True))
        if status == verb or done < total:
            tell(Progress(done, total))
        else:
            tell(Detail(f"unpacking {total / 1e6:.0f} MB" if total else "unpacking"))
