"""`[runners.docker]` as the Engine's settings of a container."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from typing import Any

# Keys of the same meaning, by the SDK's name for them.
_SAME = {
    "cap_add": "cap_add",
    "cap_drop": "cap_drop",
    "security_opt": "security_opt",
    "extra_hosts": "extra_hosts",
    "dns": "dns",
    "dns_search": "dns_search",
    "devices": "devices",
    "device_cgroup_rules": "device_cgroup_rules",
    "group_add": "group_add",
    "volumes_from": "volumes_from",
    "tmpfs": "tmpfs",
    "sysctls": "sysctls",
    "memory": "mem_limit",
    "memory_swap": "memswap_limit",
    "memory_reservation": "mem_reservation",
    "cgroup_parent": "cgroup_parent",
    "cpuset_cpus": "cpuset_cpus",
    "cpuset_mems": "cpuset_mems",
    "cpu_shares": "cpu_shares",
    "shm_size": "shm_size",
    "oom_kill_disable": "oom_kill_disable",
    "oom_score_adjust": "oom_score_adj",
    "runtime": "runtime",
    "userns_mode": "userns_mode",
    "ipcmode": "ipc_mode",
    "pid_mode": "pid_mode",
}
_FOR_SERVICES = {
    "dns": "dns",
    "dns_search": "dns_search",
    "extra_hosts": "extra_hosts",
    "services_security_opt": "security_opt",
    "services_tmpfs": "tmpfs",
    "service_memory": "mem_limit",
    "service_memory_swap": "memswap_limit",
    "service_memory_reservation": "mem_reservation",
    "service_cgroup_parent": "cgroup_parent",
    "service_cpuset_cpus": "cpuset_cpus",
    "service_cpu_shares": "cpu_shares",
    "shm_size": "shm_size",
    "runtime": "runtime",
    "userns_mode": "userns_mode",
}


def _taken(docker: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {name: docker[key] for key, name in names.items() if docker.get(key)}


def for_job(
    docker: Mapping[str, Any], image: str, binds: Sequence[str], network: str, links: Sequence[str]
) -> dict[str, Any]:
    given = _taken(docker, _SAME)
    if hosts := given.get("extra_hosts"):
        given["extra_hosts"] = list(hosts)
    if cpus := docker.get("cpus"):
        given["nano_cpus"] = int(float(cpus) * 1e9)
    allowed = docker.get("allowed_privileged_images", [])
    pairs = [tuple(link.split(":", 1)) for link in [*docker.get("links", []), *links]]
    return {
        **given,
        "binds": list(binds),
        "network_mode": network or None,
        "links": [(pair[0], pair[-1]) for pair in pairs] or None,
        "privileged": bool(docker.get("privileged")) and matches(image, allowed),
        "restart_policy": {"Name": "no"},
    }


def for_service(
    docker: Mapping[str, Any], image: str, binds: Sequence[str], network: str
) -> dict[str, Any]:
    given = _taken(docker, _FOR_SERVICES)
    if cpus := docker.get("service_cpus"):
        given["nano_cpus"] = int(float(cpus) * 1e9)
    wanted = docker.get("services_privileged")
    privileged = bool(docker.get("privileged") if wanted is None else wanted)
    return {
        **given,
        "binds": list(binds),
        "network_mode": network or None,
        "privileged": privileged and matches(image, docker.get("allowed_privileged_services", [])),
        "restart_policy": {"Name": "no"},
    }


def matches(image: str, patterns: Sequence[str]) -> bool:
    """No pattern at all allows everything."""
    return not patterns or any(fnmatch(image, pattern) for pattern in patterns)
