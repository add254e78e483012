"""What no key of a settings file tells alone: names that name nothing, keys that contradict others."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from runnerkit.errors import nearest
from runnerkit.place import image_folders
from runnerkit.settings import cache, targets
from runnerkit.settings.model import Prune

OWNERS = {"project_type": "project", "group_type": "group"}


def mistakes(data: Mapping[str, Any]) -> Iterator[str]:
    """The mistakes of a file whose keys are all right in themselves, a line each."""
    yield from _dangling(data)
    yield from _doubled(data)
    yield from _urls(data)
    for name, body in data.get("runners", {}).items():
        yield from _runner(f"runners.{name}", body)
    for name, body in data.get("hosts", {}).items():
        if wrong := targets.wrong_port(body.get("address", "")):
            yield f"hosts.{name}.address: {wrong}"
    yield from cache.mistakes(data)
    yield from _metrics(data.get("manager", {}))
    own = {
        f"hosts.{name}.network": one.get("network") for name, one in data.get("hosts", {}).items()
    }
    for path, network in {"network": data.get("network"), **own}.items():
        yield from _network(path, network or {})
    docker = data.get("docker", {})
    if docker.get("package_mirror") == "auto" and docker.get("source") != "docker-ce":
        yield 'docker.package_mirror: "auto" is for source = "docker-ce"'
    mirrors = data.get("docker", {}).get("daemon", {}).get("registry-mirrors", [])
    if not isinstance(mirrors, list) or not all(isinstance(one, str) for one in mirrors):
        yield "docker.daemon.registry-mirrors: no list of URLs: write docker.registry_mirrors"
    prune = data.get("prune", {})
    high, low = (prune.get(key, getattr(Prune(), key)) for key in ("high", "low"))
    if low > high:
        yield f"prune.low: {low} is above high, which is {high}: room would be made for ever"


def _metrics(manager: Mapping[str, Any]) -> Iterator[str]:
    if not (metrics := manager.get("metrics")):
        return
    try:
        ip_address(metrics.rpartition(":")[0].strip("[]"))
        wrong = targets.wrong_port(metrics)
    except ValueError:
        wrong = "that is no address"
    if wrong:
        yield f"manager.metrics: {wrong}"
    if "listen_address" in manager.get("settings", {}):
        yield "manager.settings.listen_address: metrics sets it: leave one of them out"


def _network(path: str, network: Mapping[str, Any]) -> Iterator[str]:
    proxy = network.get("proxy") or ""
    if proxy and (wrong := wrong_url(proxy)):
        yield f"{path}.proxy: {wrong}"
    if network.get("proxy_password") and "@" not in proxy:
        yield f"{path}.proxy_password: whose? name the user in proxy beside it: http://user@…"


def _runner(path: str, body: Mapping[str, Any]) -> Iterator[str]:
    if not body.get("image") and body.get("executor") != "instance":
        yield f"{path}.image: missing: write image = … there, or give bootstrap --image IMAGE"
    if body.get("hardening") == "shared" and "$" in str(body.get("image", "")):
        yield f"{path}.image: a job would choose it by its variables: name a shared runner's image whole"
    owners = [key for key in OWNERS.values() if body.get(key) is not None]
    if len(owners) > 1:
        yield f"{path}.project: a runner belongs to a project or to a group: leave one of them out"
    elif kind := body.get("type"):
        needed = OWNERS.get(kind, "")
        if needed and needed not in owners:
            yield f"{path}.type: {kind} needs {needed} = ID"
        elif owners and not needed:
            yield f"{path}.type: {kind} belongs to no {owners[0]}: leave one of them out"


def _urls(data: Mapping[str, Any]) -> Iterator[str]:
    """Addresses that lead nowhere, whatever answers."""
    docker = data.get("docker", {})
    named = docker.get("registry_mirrors", ())
    mirrors = () if isinstance(named, str) else named
    candidates = docker.get("mirror_candidates", ())
    urls = {
        "gitlab.url": data.get("gitlab", {}).get("url", ""),
        "cache.upstream": data.get("cache", {}).get("upstream", ""),
        "docker.package_mirror": docker.get("package_mirror", ""),
        **{f"docker.registry_mirrors[{number}]": url for number, url in enumerate(mirrors)},
        **{f"docker.mirror_candidates[{number}]": url for number, url in enumerate(candidates)},
        "golden.base": data.get("golden", {}).get("base", ""),
    }
    for path, url in urls.items():
        if "://" in url and (wrong := wrong_url(url)):
            yield f"{path}: {wrong}"


def wrong_url(url: str) -> str:
    """What is wrong with a URL whose protocol is right; "" where nothing is."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode()
    except ValueError:  # brackets that do not fit, a label that is empty or too long
        host = ""
    if not host or re.search(r"\s", host):
        return "there is no name or address of a host in it"
    try:
        right = parts.port != 0
    except ValueError:
        right = False
    return "" if right else "its port is no number from 1 to 65535"


def _dangling(data: Mapping[str, Any]) -> Iterator[str]:
    """Names that name nothing: a host's runners, and an image of ours without a definition."""
    folders, runners = image_folders(), data.get("runners", {})
    for name, body in data.get("images", {}).items():
        if name not in folders and not body.get("base"):
            yield f"images.{name}.base: missing, and there is no folder dockerfiles/{name}"
    users = {f"hosts.{host}": body for host, body in data.get("hosts", {}).items()}
    for path, body in {**users, "golden": data.get("golden", {})}.items():
        for name in body.get("runners", ()):
            if name not in runners:
                yield f"{path}.runners: no runner {name!r}{nearest(name, runners)}"


def _doubled(data: Mapping[str, Any]) -> Iterator[str]:
    """Runners of one name on one host: by their names they are told apart there."""
    runners = data.get("runners", {})
    users = [body.get("runners", runners) for body in data.get("hosts", {}).values()] or [runners]
    found: dict[str, None] = {}
    for user in users:
        known: dict[str, str] = {}
        for key in dict.fromkeys(user):
            name = runners.get(key, {}).get("name")
            if name and (other := known.setdefault(name, key)) != key:
                found[f"runners.{key}.name: {name!r}, as runners.{other} on the same host"] = None
    yield from found
