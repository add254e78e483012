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

# Keys of [runners.docker] by the option of docker run: of one value, of lists, of tables.
ONE = {
    "memory": "--memory",
    "memory_swap": "--memory-swap",
    "memory_reservation": "--memory-reservation",
    "cgroup_parent": "--cgroup-parent",
    "cpuset_cpus": "--cpuset-cpus",
    "cpuset_mems": "--cpuset-mems",
    "cpu_shares": "--cpu-shares",
    "cpus": "--cpus",
    "gpus": "--gpus",
    "runtime": "--runtime",
    "userns_mode": "--userns",
    "network_mode": "--network",
    "pid_mode": "--pid",
    "ipcmode": "--ipc",
    "mac_address": "--mac-address",
    "oom_score_adjust": "--oom-score-adj",
    "shm_size": "--shm-size",
    "isolation": "--isolation",
    "volume_driver": "--volume-driver",
    "user": "--user",
}
MANY = {
    "dns": "--dns",
    "dns_search": "--dns-search",
    "group_add": "--group-add",
    "cap_add": "--cap-add",
    "cap_drop": "--cap-drop",
    "security_opt": "--security-opt",
    "devices": "--device",
    "device_cgroup_rules": "--device-cgroup-rule",
    "extra_hosts": "--add-host",
    "links": "--link",
    "volumes_from": "--volumes-from",
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
PID_MODE = (19, 1)  # the first gitlab-runner that knows this key
PER_BUILD = "FF_NETWORK_PER_BUILD"
INIT = "FF_USE_INIT_WITH_DOCKER_EXECUTOR"


def cases(want: Want, have: Facts) -> tuple[Case, ...]:
    """Each image as jobs of each runner on the host get it; alike ones once."""
    found: dict[Case, tuple[str, ...]] = {}
    early = {"pid_mode": ""} if want.numbers and want.numbers < PID_MODE else {}
    for name, written in entries(want, have):
        docker = {**written["docker"], **early}
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
    for key, option in ONE.items():
        if docker.get(key):
            yield f"{option}={docker[key]}"
    for key, option in MANY.items():
        yield from (f"{option}={value}" for value in _texts(docker.get(key)))
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
