"""The kit's own files by which a host's programs know its proxy and its CA: what shall stand where.

dockerd reads the proxy from its own file (daemon_json.py) where that can be: since Docker 23. Before a
host has Docker nobody knows its version, and an older dockerd does not start with that key: there, and
of an older one, it is the environment of its unit, in a file that root alone reads.
"""

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from runnerkit.facts import Facts, distributions
from runnerkit.facts.packages import release
from runnerkit.files.write import Content
from runnerkit.place import UNITS
from runnerkit.plan import Endpoint, proxy
from runnerkit.want import Want

UNIT = f"{UNITS}/docker.service.d/runnerkit-proxy.conf"
VARIABLES = f"{UNITS}/docker.service.d/runnerkit-proxy.env"
APT = "/etc/apt/apt.conf.d/95runnerkit-proxy"
# Where a system keeps CAs of one's own: dockerd, git, curl read what comes of it. Fedora's and its
# like, SUSE's, Arch's; and Debian's and Alpine's, where a blank one has no folder yet.
STORES = (
    "/etc/pki/ca-trust/source/anchors",
    "/etc/pki/trust/anchors",
    "/etc/ca-certificates/trust-source/anchors",
)
STORE = "/usr/local/share/ca-certificates"
AUTHORITIES = tuple(f"{folder}/runnerkit.crt" for folder in (STORE, *STORES))
OF_DOCKERD = (UNIT, VARIABLES, *AUTHORITIES)
RENEWED = """if command -v update-ca-trust >/dev/null; then update-ca-trust extract
elif command -v update-ca-certificates >/dev/null; then update-ca-certificates >/dev/null; fi"""
RELOADED = "[ ! -d /run/systemd/system ] || systemctl daemon-reload"
SINCE = 23  # the major version of Docker from which daemon.json may name proxies
MARK = "# Of runnerkit: ca_file of [network] in its settings.\n"  # PEM is what stands between its marks


def own_file(have: Facts, daemon: Mapping[str, Any]) -> bool:
    """Whether dockerd has its proxy from its own file, and not from its unit.

    Args:
        have: the host.
        daemon: what its daemon.json says.
    """
    version = release(str(have.info.get("ServerVersion", "")))
    new = bool(version) and version[0] >= SINCE and UNIT not in have.files
    return not have.systemd or new or "proxies" in daemon


def proxies(want: Want) -> dict[str, str]:
    """The same as daemon.json has it."""
    names = {"http-proxy": "HTTP_PROXY", "https-proxy": "HTTPS_PROXY", "no-proxy": "NO_PROXY"}
    return {key: want.network.variables[name] for key, name in names.items()}


def named_anew(want: Want, old: str) -> tuple[Endpoint, ...]:
    """The proxy, which must answer the host before a file names it that did not."""
    place = want.network.address.partition("//")[2]
    return (proxy(want.network.address),) if place and place not in old else ()


def of_dockerd(want: Want, have: Facts, daemon: Mapping[str, Any]) -> dict[str, Content]:
    """Files that dockerd takes up by a restart only, in the order in which they are written."""
    files = {}
    if want.network.proxy and not own_file(have, daemon):
        lines = (f'{key}="{value}"\n' for key, value in want.network.variables.items())
        files[UNIT] = Content(f"[Service]\nEnvironmentFile=-{VARIABLES}\n")
        files[VARIABLES] = Content("".join(lines), 0o600)
    if want.network.ca:
        folder = next((one for one in STORES if one in have.paths), STORE)
        files[f"{folder}/runnerkit.crt"] = Content(MARK + want.network.ca)
    return files


def of_others(want: Want, have: Facts) -> dict[str, Content]:
    """Files that others read: the package manager's, and the manager's."""
    files = {}
    if want.network.proxy and distributions.of(have.os, have.ostree).manager == "apt":
        mode = 0o600 if want.network.secret else 0o644
        files[APT] = Content(_apt(want), mode)
    if want.network.ca and want.url.startswith("https://"):
        files[authority(want)] = Content(MARK + want.network.ca)
    return files


def authority(want: Want) -> str:
    """Where the manager finds the CA of its GitLab (docs/configuration/tls-self-signed.md)."""
    return f"{want.manager.config_dir}/certs/{urlsplit(want.url).hostname}.crt"


def unread(want: Want, have: Facts, daemon: Mapping[str, Any]) -> bool:
    """Whether dockerd runs, and not by what these files say, or shall say."""
    wanted = of_dockerd(want, have, daemon)
    files = [have.files.get(path) for path in wanted]
    # Both times are whole seconds, each cut off.
    newer = any(file and have.started + 1 < file.modified for file in files)
    lacks = any(
        file is None or file.data != content.text.encode()
        for file, content in zip(files, wanted.values(), strict=True)
    )
    return have.docker_runs and (newer or lacks or bool(removals(want, have, wanted, OF_DOCKERD)))


def removals(want: Want, have: Facts, wanted: Iterable[str], ours: Iterable[str]) -> list[str]:
    """Those of the kit's files on the host that are wanted no longer.

    Args:
        want: what the host should be.
        have: the host.
        wanted: those that are wanted.
        ours: which files this is about.
    """
    there = {path: file for path in ours if (file := have.files.get(path)) and path not in wanted}
    return [
        path
        for path, file in there.items()
        if path != authority(want) or file.text.startswith(MARK)
    ]


def removal(paths: Iterable[str]) -> str:
    """Shell lines that take such files away."""
    goes = [*paths]
    lines = [f"rm -f {shlex.join(goes)}"]
    lines += [RENEWED] * any(path in AUTHORITIES for path in goes)
    lines += [f"rmdir {UNIT.rpartition('/')[0]} 2>/dev/null || :", RELOADED] * (UNIT in goes)
    return "\n".join(lines)


def exports(want: Want) -> str:
    """Lines of a shell by which package managers, curl and scripts go through the proxy."""
    return "".join(f"export {k}={shlex.quote(v)}\n" for k, v in want.network.both.items())


def _apt(want: Want) -> str:
    """apt has names and addresses around a proxy, and no networks or ports."""
    around = [one for one in want.network.around.split(",") if re.fullmatch(r"\w[\w.-]*", one)]
    lines = []
    for kind in ("http", "https"):
        lines.append(f'Acquire::{kind}::Proxy "{want.network.proxy}";')
        lines += [f'Acquire::{kind}::Proxy::{name} "DIRECT";' for name in around]
    return "\n".join([*lines, ""])
