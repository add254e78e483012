"""`[runners.docker]` as the Engine's settings of a container."""

from collections.abc import Sequence

from ..table import Table

# Keys by the name that the SDK has for them, where it has the same, and where it has another.
_SAME = (
    "cap_add cap_drop security_opt extra_hosts dns dns_search devices device_cgroup_rules "
    "group_add volumes_from tmpfs sysctls cgroup_parent cpuset_cpus cpuset_mems cpu_shares shm_size "
    "oom_kill_disable runtime userns_mode pid_mode"
)
_OTHER = {
    "memory": "mem_limit",
    "memory_swap": "memswap_limit",
    "memory_reservation": "mem_reservation",
    "oom_score_adjust": "oom_score_adj",
    "ipcmode": "ipc_mode",
    "network_mode": "network_mode",
}


def for_job(docker: Table, binds: Sequence[str]) -> dict[str, object]:
    names = {**dict.fromkeys(_SAME.split()), **_OTHER}
    given = {name or key: docker[key] for key, name in names.items() if docker.get(key)}
    if cpus := docker.text("cpus"):
        given["nano_cpus"] = int(float(cpus) * 1e9)
    return {
        **given,
        "binds": list(binds),
        "privileged": docker.flag("privileged"),
        "restart_policy": {"Name": "no"},
    }
