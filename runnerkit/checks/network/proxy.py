"""What the host, its Docker and the manager have for a proxy fits together."""

import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs
from runnerkit.redact import mask
from runnerkit.settings.no_proxy import passed_by
from runnerkit.want import Want

PRIVATE = re.compile(r"(10|192\.168|172\.(1[6-9]|2\d|3[01])|127)\.[\d.]+|f[cd][0-9a-f]{2}:.*")
DOCKER = Kind(
    "proxy-not-of-docker",
    Level.NOTE,
    "the host's environment names the proxy {proxy}, and its Docker has none: pulls go without",
    'set [network] proxy = "{proxy}"',
)
MANAGER = Kind(
    "proxy-not-of-manager",
    Level.NOTE,
    "the host's Docker goes through the proxy {proxy}, and the manager does not",
    'set [network] proxy = "{proxy}"; or, if GitLab alone is near by, no_proxy beside it',
)
GITLAB = Kind(
    "proxy-for-gitlab",
    Level.NOTE,
    "the manager asks GitLab at {address}, which is near by, through the proxy {proxy}",
    "name {host} in [network] no_proxy",
)
KINDS = (DOCKER, MANAGER, GITLAB)


def needs(want: Want) -> Needs:
    return Needs(manager=True)


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    container = have.containers.get(want.manager.container, {})
    manager = _proxies((container.get("Config") or {}).get("Env") or ())
    system = _proxies(have.probe.proxies if have.probe else ())
    docker = str(have.info.get("HttpsProxy") or have.info.get("HttpProxy") or "")
    if have.docker_runs and (proxy := _of(system)) and not docker:
        yield DOCKER.found(proxy=mask(proxy))
    if container and docker and not _of(manager):
        yield MANAGER.found(proxy=mask(docker))
    host, proxy = urlsplit(want.url).hostname or "", for_gitlab(want, have)
    known = have.probe.names.get(host, (host,)) if have.probe else ()
    if proxy and (near := next((one for one in known if PRIVATE.fullmatch(one)), "")):
        yield GITLAB.found(address=near, proxy=mask(proxy), host=host)


def for_gitlab(want: Want, have: Facts) -> str:
    """The proxy through which the manager asks GitLab; "" for none."""
    container = have.containers.get(want.manager.container, {})
    lines = (container.get("Config") or {}).get("Env") or ()
    given = [f"{name}={value}" for name, value in want.manager.environment.items()]
    manager = _proxies([*given, *lines])
    passed = passed_by(want.url, manager.get("no_proxy", "").split(","))
    found = manager.get(f"{urlsplit(want.url).scheme}_proxy", "")
    # Go's programs take one without a scheme for one of http (x/net/http/httpproxy, parseProxy).
    return "" if passed or not found else found if "://" in found else f"http://{found}"


def _proxies(lines: Iterable[str]) -> dict[str, str]:
    pairs = (line.removeprefix("export ").strip().partition("=") for line in lines)
    found = {name.lower(): value.strip("\"' ") for name, _, value in pairs if value}
    return {name: value for name, value in found.items() if name.endswith("_proxy")}


def _of(proxies: Mapping[str, str]) -> str:
    return proxies.get("https_proxy") or proxies.get("http_proxy", "")
