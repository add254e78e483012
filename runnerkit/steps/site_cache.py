"""A host runs the site's cache of Docker Hub's images, where its settings say so.

It is the registry's own pull-through cache, in a container on the host's own network: it listens at the
one address that the others reach, so that the host's firewall rules over it, and by TLS alone. A mirror
cannot be given a login by daemon.json: whoever reaches the port can read what the cache can.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from runnerkit.bundle import supply
from runnerkit.facts import Facts, Needs
from runnerkit.files import memory, removals
from runnerkit.files.site_cache import (
    AUTHORITY,
    CONFIG,
    FOLDER,
    INSIDE,
    NAME,
    UPKEEP,
    certificate,
    files,
    key,
)
from runnerkit.files.write import differing
from runnerkit.images.content import instant
from runnerkit.images.reference import known_as, normal, tagged
from runnerkit.plan import Change, Hint, Pull, Script, mirrors
from runnerkit.templates import render
from runnerkit.want import OwnCache, Want

HINTS = (
    Hint(
        "address already in use",
        "another program of the host has that port: name another one in [cache] port",
    ),
    Hint(
        "cannot assign requested address",
        "the host has no such address: name one that it has itself by cache_address of [hosts.NAME]",
    ),
    Hint(
        "panic: Get ",
        "a cache asks its upstream when it starts: let the host reach that ([network] proxy), or name one "
        "that it reaches by [cache] upstream",
    ),
    Hint("", f"docker logs {NAME} on the host tells more"),
)


def needs(want: Want) -> Needs:
    if not (own := want.cache):
        return Needs(files=(memory.PATH,), paths=(FOLDER,), others=(NAME,))
    known = (CONFIG, UPKEEP, AUTHORITY, certificate(own.ip))
    images = (own.image, tagged(own.image))
    return Needs(files=known, paths=(FOLDER, key(own)), images=images, others=(NAME,))


def changes(want: Want, have: Facts) -> Iterator[Change]:
    own = want.cache
    if own and not {certificate(own.ip), key(own)} <= {*have.files, *have.paths}:
        text = render("cache-certificate.sh.j2", certificate=certificate(own.ip), key=key(own))
        yield Script(f"make the certificate of the cache at {own.ip}", text, address=own.ip)
    if own:
        yield from _serve(want, have, own)
    elif (NAME in have.containers or FOLDER in have.paths) and not _of_others(want, have):
        text = render("cache-remove.sh.j2", name=NAME, folder=FOLDER)
        yield Script(f"remove the cache of Docker Hub's images, {NAME}", text, hints=HINTS)


def _serve(want: Want, have: Facts, own: OwnCache) -> Iterator[Change]:
    stale = list(differing(files(own), have.files))
    yield from stale
    if not own.ca and AUTHORITY in have.files:
        yield Script(f"remove {AUTHORITY}", f"rm -f {AUTHORITY}")
    if want.bundle:
        yield from supply.cache(want.bundle, have, own)
    elif normal(_image(want, have, own)) not in have.images:
        near = mirrors(want.docker.fixed_mirrors)
        sources, logins = want.sources(own.image), want.docker.registry_logins
        yield Pull(
            f"pull {own.image}, for the cache", own.image, sources, logins=logins, reaches=near
        )
    now = have.containers.get(NAME)
    if now is None or stale or (reason := _reason(want, have, own, now)):
        why = "" if now is None else f" anew ({reason if not stale else 'its settings changed'})"
        yield Script(
            f"run the cache of Docker Hub's images, {NAME}{why}", _run(want, have, own), hints=HINTS
        )


def _reason(want: Want, have: Facts, own: OwnCache, now: Mapping[str, Any]) -> str:
    """Why the container is not as it should be; "" where it is."""
    image = have.images.get(normal(_image(want, have, own)), {}).get("Id")
    labels = now["Config"].get("Labels") or {}
    read = (path for path in (CONFIG, AUTHORITY, certificate(own.ip)) if path in have.files)
    written = max((have.files[path].modified for path in read), default=0)
    if image != now["Image"]:
        return "another image"
    if (
        labels.get(NAME) != _mark(_script(want, own, own.image))
        or instant(_begun(now)) + 1 < written
    ):
        return "its settings changed"
    return "" if have.runs(NAME) else "it does not run"


def _begun(now: Mapping[str, Any]) -> str:
    return str(now["State"].get("StartedAt", ""))


def _image(want: Want, have: Facts, own: OwnCache) -> str:
    """The name by which the host's engine knows its image, or will once it has come from a bundle."""
    absent = normal(own.image) not in have.images
    return tagged(own.image) if want.bundle and absent else known_as(own.image, have.images)


def _script(want: Want, own: OwnCache, image: str, mark: str = "") -> str:
    return render(
        "cache-run.sh.j2",
        name=NAME,
        folder=FOLDER,
        inside=INSIDE,
        image=image,
        mark=mark,
        most=own.max_gb << 20,
        free=want.docker.min_free_mb << 10,
        proxy=want.network.variables,
        authority=own.ca and AUTHORITY.replace(FOLDER, INSIDE),
    )


def _run(want: Want, have: Facts, own: OwnCache) -> str:
    return _script(want, own, _image(want, have, own), _mark(_script(want, own, own.image)))


def _mark(text: str) -> str:
    """What tells from a container whether it was run by this very script."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _of_others(want: Want, have: Facts) -> bool:
    return any(one.cache for one in removals.records(want, have)[1])
