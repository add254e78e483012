"""An entry of config.toml as the options by which Docker starts a job's container.

Source: executors/docker/docker.go of gitlab-runner (createHostConfig, createContainerConfig),
and its internal/volumes.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from runnerkit.facts import Facts
from runnerkit.facts.rehearsal import Case, Volume
from runnerkit.files import config_toml
from runnerkit.want import Want

# Keys of [runners.docker] that docker run has as options: of one value, of lists, and of tables; and
# those that it calls otherwise.
ONE = (
    *("memory", "memory_swap", "memory_reservation", "cgroup_parent", "cpuset_cpus", "cpuset_mems"),
    *(
        "cpu_shares",
        "cpus",
        "gpus",
        "runtime",
        "userns_mode",
        "network_mode",
        "pid_mode",
        "ipcmode",
    ),
    *("mac_address", "oom_score_adjust", "shm_size", "isolation", "volume_driver", "user"),
)
MANY = (
    *("dns", "dns_search", "group_add", "cap_add", "cap_drop", "security_opt", "devices"),
    *("device_cgroup_rules", "extra_hosts", "links", "volumes_from"),
)
OTHERWISE = {
    "userns_mode": "userns",
    "network_mode": "network",
    "pid_mode": "pid",
    "ipcmode": "ipc",
    "oom_score_adjust": "oom-score-adj",
    "devices": "device",
    "device_cgroup_rules": "device-cgroup-rule",
    "extra_hosts": "add-host",
    "links": "link",
}
TABLES = {
    "ulimit": ("--ulimit", "="),
    "tmpfs": ("--tmpfs", ":"),
    "sysctls": ("--sysctl", "="),
    "container_labels": ("--label", "="),
}
GITLAB, CLONE = "gitlab", "clone"  # the addresses of a case
HOSTNAME = "runner-rehearsal"
SOCKET = "unix:///var/run/docker.sock"
# The first gitlab-runner after 15.11 that knows a key: others ignore it.
SINCE = {
    "ulimit": (16, 2),
    "network_mtu": (16, 5),
    "group_add": (16, 6),
    "cgroup_parent": (16, 10),
    "cpuset_mems": (17, 0),
    "pid_mode": (19, 1),
}
PER_BUILD = "FF_NETWORK_PER_BUILD"
INIT = "FF_USE_INIT_WITH_DOCKER_EXECUTOR"


def cases(want: Want, have: Facts) -> tuple[Case, ...]:
    """Each image as jobs of each runner on the host get it; alike ones once."""
    found: dict[Case, tuple[str, ...]] = {}
    for name, written in entries(want, have):
        docker = heeded(written["docker"], want.numbers)
        entry = {**written, "docker": docker}
        urls = {GITLAB: entry.get("url") or want.url, CLONE: entry.get("clone_url")}
        addresses = tuple((key, str(url)) for key, url in urls.items() if url)
        own = str(docker.get("image") or "")
        for image in dict.fromkeys(filter(None, (own, *(job.reference for job in want.images)))):
            if "$" in image:  # known when a job comes
                continue
            if image == own or allowed(docker.get("allowed_images"), image):
                one = _case(entry, image, addresses)
                found[one] = (*found.get(one, ()), name)
    return tuple(replace(one, runners=names) for one, names in found.items())


def heeded(docker: Mapping[str, Any], numbers: tuple[int, ...]) -> dict[str, Any]:
    """The keys that a gitlab-runner of that version (none: of today) heeds."""
    late = {key for key, since in SINCE.items() if numbers and numbers < since}
    return {key: value for key, value in docker.items() if key not in late}


def entries(want: Want, have: Facts) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The entries of wanted runners whose jobs are in containers of this host, by the runners' keys."""
    written = config_toml.parsed(want, have).get("runners", [])
    for runner in want.runners:
        index = config_toml.entry_index(want, have, runner)
        if index is None or written[index].get("executor") != "docker":
            continue
        docker = written[index].get("docker")
        if isinstance(docker, dict) and docker.get("host") in (None, "", SOCKET):
            yield runner.key, written[index]


def _case(entry: Mapping[str, Any], image: str, addresses: tuple[tuple[str, str], ...]) -> Case:
    """How jobs of an entry get an image; it has the runners' names when all are known."""
    docker = _table(entry, "docker")
    builds = str(entry.get("builds_dir") or "/builds")
    own = flag(entry, PER_BUILD) and not docker.get("network_mode")
    return Case(
        runners=(),
        image=image,
        options=tuple(_options(docker, image, flag(entry, INIT))),
        volumes=tuple(_volumes(docker, builds)),
        network=tuple(_network(docker)) if own else None,
        environment=tuple(one for one in _texts(entry.get("environment")) if "=" in one),
        addresses=addresses,
        builds=builds,
    )


def flag(entry: Mapping[str, Any], name: str) -> bool:
    """Whether a feature flag is on, by the entry's table or by its variables."""
    known = _table(entry, "feature_flags").get(name)
    if known is not None:
        return bool(known)
    values = [
        one.partition("=")[2]
        for one in _texts(entry.get("environment"))
        if one.startswith(f"{name}=")
    ]
    return bool(values) and values[-1].lower() in ("1", "true", "t")


def allowed(patterns: object, image: str) -> bool:
    """Whether a list of patterns has the image, as doublestar does: * stays within a part of a name."""
    lists = _texts(patterns)
    return not lists or any(_matches(one, image) for one in lists)


def _matches(pattern: str, image: str) -> bool:
    parts = (re.escape(one).replace(r"\*", "[^/]*") for one in pattern.split("**"))
    return re.fullmatch(".*".join(parts), image) is not None


def _options(docker: Mapping[str, Any], image: str, init: bool) -> Iterator[str]:
    yield from ("--hostname", str(docker.get("hostname") or HOSTNAME), "--log-driver", "json-file")
    for key in (*ONE, *MANY):
        value = docker.get(key)
        option = OTHERWISE.get(key, key.replace("_", "-"))
        for one in _texts(value) if key in MANY else [value] if value else []:
            yield f"--{option}={one}"
    for key, (option, between) in TABLES.items():
        yield from (
            f"{option}={name}{between}{value}" for name, value in _table(docker, key).items()
        )
    if docker.get("privileged") is True and allowed(docker.get("allowed_privileged_images"), image):
        yield "--privileged"
    if docker.get("oom_kill_disable") is True:
        yield "--oom-kill-disable"
    if init:
        yield "--init"


def _volumes(docker: Mapping[str, Any], builds: str) -> Iterator[Volume]:
    """Those of the settings, and one for the sources where none of them holds their folder."""
    paths = []
    for spec in _texts(docker.get("volumes")):
        source, own, rest = spec.partition(":")
        if own:
            path, _, mode = rest.partition(":")
            path = posixpath.join(builds, path)
            yield Volume(path, source, ":".join(filter(None, (source, path, mode))))
        elif docker.get("disable_cache") is True:
            continue
        else:
            path = posixpath.join(builds, spec)
            yield Volume(path)
        paths.append(path)
    if not any(f"{builds}/".startswith(posixpath.join(path, "")) for path in paths):
        yield Volume(builds)


def _network(docker: Mapping[str, Any]) -> Iterator[str]:
    if docker.get("network_mtu"):
        yield f"--opt=com.docker.network.driver.mtu={docker['network_mtu']}"
    if docker.get("enable_ipv6") is True:
        yield "--ipv6"


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _table(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = values.get(key)
    return value if isinstance(value, dict) else {}
