"""The manager container runs, from the wanted image, with the recipe's mounts and restart policy;
unless somebody has drained the host."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from runnerkit import container
from runnerkit.actions import settle
from runnerkit.checks.engine import selinux
from runnerkit.errors import KitError
from runnerkit.facts import Facts, Needs
from runnerkit.files import drained, memory, previous, removals
from runnerkit.images.reference import normal
from runnerkit.plan import Change, Hint, Script
from runnerkit.printable import counted
from runnerkit.templates import render
from runnerkit.want import Want

HINTS = (
    container.WAITED,
    Hint(
        "put back",
        "its log says why; name another version, or correct what it does not take, then run again",
    ),
    Hint(
        "address already in use|port is already allocated",
        "another program of the host has that port: name another one in [manager] metrics",
    ),
    Hint("", "docker logs of the manager on the host tells more"),
)
# Of docker inspect's HostConfig, and what it is an option of.
LISTS = {
    "ExtraHosts": "add-host",
    "Dns": "dns",
    "DnsSearch": "dns-search",
    "DnsOptions": "dns-option",
    "SecurityOpt": "security-opt",
    "CapAdd": "cap-add",
    "CapDrop": "cap-drop",
    "GroupAdd": "group-add",
}
WORDS = {"UsernsMode": "userns", "PidMode": "pid"}


def needs(want: Want) -> Needs:
    files = (want.config, memory.PATH, drained.PATH, previous.PATH)
    return Needs(files=files, images=(want.manager.image,), manager=True)


def changes(want: Want, have: Facts) -> Iterator[Change]:
    name = want.manager.container
    now = have.containers.get(name)
    elsewhere(want, now)
    if settle.before(want, have):
        yield settlement(want, have)
    elif drained.parsed(have):
        return
    elif now is None:
        yield Script(f"run the container {name}", container.run(want), hints=HINTS)
    elif reasons := list(differences(want, have, now)):
        yield replacement(want, have, now, reasons)
    elif not now["State"]["Running"]:
        yield Script(f"start the container {name}", render("start.sh.j2", name=name), hints=HINTS)


def replacement(
    want: Want, have: Facts, now: Mapping[str, Any], reasons: Iterable[str], proves: bool = False
) -> Script:
    """The change to a container of the wanted kind, after the jobs of the one that is there.

    Args:
        want: what the manager shall be.
        have: the host.
        now: the container that is there.
        reasons: why it goes.
        proves: whether the new one must prove itself, and is else put back.
    """
    jobs = (
        f", after the end of its {counted(have.jobs, 'running job container')}" if have.jobs else ""
    )
    title = f"replace the container {want.manager.container} ({'; '.join(reasons)}){jobs}"
    left = {way[0] for way in _left(want, have, now).goes}
    environment = container.variables(have, now)
    environment = {name: value for name, value in environment.items() if name not in left}
    image = have.images.get(normal(want.manager.image), {}).get("Id", "")
    proof = settle.script(want, have, now, image) if proves else ""
    mounts = _mounts(want, now)
    text = container.run(want, options(want, now), environment, mounts, now, proof)
    return Script(title, text, hints=HINTS)


def settlement(want: Want, have: Facts) -> Script:
    """The change that ends an upgrade which was cut off, one way or the other."""
    name, old = want.manager.container, settle.before(want, have)
    assert old is not None
    image = settle.newest(want, have).get("Image", "")
    title = f"have the container {name} prove itself, or put {old['Config']['Image']} back"
    return Script(title, settle.script(want, have, old, image), hints=HINTS)


def _mounts(want: Want, now: Mapping[str, Any]) -> Iterator[str]:
    """The recipe's mounts, with the options that they have: SELinux's label above all."""
    there = {mount["Destination"]: _mode(mount) for mount in now["Mounts"]}
    for bind in container.binds(want):
        yield bind + there.get(bind.partition(":")[2], "")


def _mode(mount: Mapping[str, Any]) -> str:
    """What stands behind a mount: :ro,Z."""
    words = [word for word in str(mount.get("Mode") or "").split(",") if word not in ("", "rw")]
    if not mount.get("RW", True) and "ro" not in words:
        words.append("ro")
    if (way := mount.get("Propagation") or "rprivate") not in ("rprivate", *words):
        words.append(way)
    return f":{','.join(words)}" if words else ""


def options(want: Want, now: Mapping[str, Any]) -> Iterator[str]:
    """What a container that somebody made has beyond the recipe, as options of ``docker create``."""
    ours = {bind.partition(":")[2] for bind in container.binds(want)}
    for mount in now["Mounts"]:
        place, source = mount["Destination"], mount.get("Name") or mount.get("Source", "")
        # A volume without a name of its own is the image's.
        if source and place not in ours and not re.fullmatch("[0-9a-f]{64}", source):
            yield f"--volume={source}:{place}{_mode(mount)}"
    host = now["HostConfig"]
    if (network := host.get("NetworkMode") or "default") not in ("default", "bridge"):
        yield f"--network={network}"
    for key, option in LISTS.items():
        # A profile was read from a file of whoever made it.
        yield from (f"--{option}={one}" for one in host.get(key) or () if "={" not in one)
    yield from (f"--{option}={host[key]}" for key, option in WORDS.items() if host.get(key))
    if host.get("Privileged"):
        yield "--privileged"
    for place, mode in (host.get("Tmpfs") or {}).items():
        yield f"--tmpfs={place}{mode and ':'}{mode}"
    for port, places in (host.get("PortBindings") or {}).items():
        is_ours = want.manager.metrics and port == f"{container.PORT}/tcp"
        for one in () if is_ours else places or ():
            address = one.get("HostIp") or ""
            address = f"[{address}]" if ":" in address else address
            yield f"--publish={address}{address and ':'}{one.get('HostPort', '')}:{port}"


def _left(want: Want, have: Facts, now: Mapping[str, Any]) -> memory.Removal:
    """Of its variables those that the settings said, and say no longer."""
    return removals.environment(want, have, container.variables(have, now))


def elsewhere(want: Want, now: Mapping[str, Any] | None) -> None:
    """Refuse to replace a manager that keeps its config.toml in another place: it would be lost."""
    for mount in now["Mounts"] if now else ():
        source = mount.get("Source", "")
        if mount["Destination"] == "/etc/gitlab-runner" and source != want.manager.config_dir:
            raise KitError(
                f"the container {want.manager.container} keeps its config.toml in {source}",
                f'set [manager] config_dir = "{source}", or move its files to {want.manager.config_dir}',
            )


def differences(want: Want, have: Facts, now: Mapping[str, Any]) -> Iterator[str]:
    """Why the container that is there is none of the wanted kind."""
    image = have.images.get(normal(want.manager.image))
    if image is None or image["Id"] != now["Image"]:
        yield f"image {now['Config']['Image']} → {want.manager.image}"
    policy = now["HostConfig"]["RestartPolicy"]["Name"]
    if policy != "always" and not drained.parsed(have):
        yield f"restart policy {policy or 'no'} → always"
    if selinux.confines(have) and not selinux.labelled(now["HostConfig"].get("SecurityOpt")):
        yield "SELinux keeps Docker's socket from it"
    mounts = {f"{mount['Source']}:{mount['Destination']}" for mount in now["Mounts"]}
    for bind in container.binds(want):
        source, _, target = bind.partition(":")
        # /var/run is a link to /run on every current distribution
        if not mounts & {bind, f"{source.replace('/var/run/', '/run/')}:{target}"}:
            yield f"mount {bind}"
    if not container.published(want, now):
        yield f"metrics on {want.manager.metrics}"
    for key, value in want.manager.environment.items():
        if f"{key}={value}" not in (now["Config"]["Env"] or []):
            yield f"environment {key}"
    for way in _left(want, have, now).goes:
        yield f"environment {way[0]}, which the settings name no longer"
