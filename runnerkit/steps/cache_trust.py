"""Each host trusts the certificates of the caches that it asks, and of no others any longer.

A certificate signs itself, and its key never leaves the host of the cache. The others are given it by the
kit, which reads it over SSH: none is taken from the network unseen, no authority of the kit's is kept
anywhere, and a plan needs no second host: who has a certificate keeps it until a run has read another.
"""

from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatch

from runnerkit.errors import KitError
from runnerkit.facts import Facts, Needs
from runnerkit.facts.docker_trust import CERTS
from runnerkit.files import daemon_json, memory, removals
from runnerkit.files.site_cache import FILE, certificate, trust
from runnerkit.files.write import Content, differing
from runnerkit.plan import Change, Hint, Script
from runnerkit.want import Cache, Want

UNKNOWN = "nobody has read its certificate: the host of the cache did not answer, or has none yet"


def needs(want: Want) -> Needs:
    own = (certificate(want.cache.ip),) if want.cache else ()
    trusts = (path for one in want.caches for path in trust(one.address, "containerd"))
    return Needs(files=(daemon_json.PATH, memory.PATH, *trusts, *own), paths=(f"{CERTS}/*/{FILE}",))


def changes(want: Want, have: Facts) -> Iterator[Change]:
    """Docker reads these files anew with each pull."""
    for one in want.caches:
        for path in trust(one.address, have.store):
            yield from _trust(want, have, one, path)
    addresses = [url.partition("://")[2] for url in _mirrors(want, have)]
    used = {path for one in addresses for path in trust(one, "containerd")}
    ours = sorted(path for path in have.paths if fnmatch(path, f"{CERTS}/*/{FILE}"))
    if over := [path for path in ours if path not in used]:
        lines = (
            f"rm -f '{path}'\nrmdir '{path.rpartition('/')[0]}' 2>/dev/null || :" for path in over
        )
        title = f"trust {', '.join(dict.fromkeys(map(_address, over)))} no longer"
        yield Script(title, "\n".join((*lines, f"rmdir {CERTS} 2>/dev/null || :")))


def _trust(want: Want, have: Facts, one: Cache, path: str) -> Iterator[Change]:
    title = f"trust the cache of {one.host} at {one.address}"
    if path != trust(one.address, "")[0]:
        title += ", for containerd's store"
    if want.cache and want.cache.address == one.address:
        source = certificate(want.cache.ip)
        known = have.files[source].text if source in have.files else ""
        text = f"set -e\nmkdir -p '{path.rpartition('/')[0]}'\ninstall -m 644 '{source}' '{path}'"
        hints: tuple[Hint, ...] = ()
    else:
        known, text, hints = one.certificate or "", f"echo '{UNKNOWN}' >&2\nexit 1", (_fix(one),)
        if one.certificate == "" and path not in have.files:
            raise KitError(f"{title}: {UNKNOWN}", _fix(one).fix)
    if known:
        written = differing({path: Content(known)}, have.files)
        yield from (replace(each, title=title) for each in written)
    elif path not in have.files or not hints:
        yield Script(title, text, hints=hints)


def _address(path: str) -> str:
    """Of the cache whose certificate is there."""
    folder, name = path.split("/")[-2:]
    return name.removeprefix(FILE.partition("*")[0]).removesuffix(".crt").lstrip("-") or folder


def _fix(cache: Cache) -> Hint:
    other = f"or take cache = true out of [hosts.{cache.host}]"
    return Hint("", f"./inv bootstrap --host {cache.host} sets it up; {other}")


def _mirrors(want: Want, have: Facts) -> list[str]:
    """Those that the host's Docker asks once all is done, whichever settings say so."""
    way, managed = ("registry-mirrors",), daemon_json.managed(want, have)
    if way[0] in managed:
        return list(managed[way[0]])
    now = daemon_json.parsed(have).get(way[0]) or []
    gone = way in removals.daemon(want, have).goes
    return [] if gone or not isinstance(now, list) else [str(one).rstrip("/") for one in now]
