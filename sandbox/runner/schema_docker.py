"""The keys of `[runners.docker]`, in the order in which they are written.

A kind is str, int, bool, list (of strings), strs (a string or a list), map or flags (tables
of strings or booleans), time, any; a trailing `!` means "written even when zero".
"""

from typing import TypeAlias

Kind: TypeAlias = "str | dict[str, Kind] | list[dict[str, Kind]]"
Table: TypeAlias = dict[str, Kind]

SERVICE: Table = {
    "name": "str",
    "alias": "str",
    "entrypoint": "list",
    "command": "list",
    "environment": "list",
}

DOCKER: Table = {
    "host": "str",
    "tls_cert_path": "str",
    "tls_verify": "bool!",
    "hostname": "str",
    "image": "str!",
    "runtime": "str",
    "memory": "str",
    "memory_swap": "str",
    "memory_reservation": "str",
    "cgroup_parent": "str",
    "cpuset_cpus": "str",
    "cpuset_mems": "str",
    "cpus": "str",
    "cpu_shares": "int",
    "dns": "list",
    "dns_search": "list",
    "privileged": "bool!",
    "services_privileged": "bool",
    "disable_entrypoint_overwrite": "bool!",
    "user": "str",
    "allowed_users": "list",
    "group_add": "list",
    "userns_mode": "str",
    "cap_add": "list",
    "cap_drop": "list",
    "oom_kill_disable": "bool!",
    "oom_score_adjust": "int",
    "security_opt": "list",
    "services_security_opt": "list",
    "devices": "list",
    "device_cgroup_rules": "list",
    "gpus": "str",
    "services_devices": "any",
    "disable_cache": "bool!",
    "volumes": "list",
    "volume_driver": "str",
    "volume_driver_ops": "map",
    "volume_keep": "bool!",
    "cache_dir": "str",
    "extra_hosts": "list",
    "volumes_from": "list",
    "network_mode": "str",
    "ipcmode": "str",
    "pid_mode": "str",
    "mac_address": "str",
    "links": "list",
    "services": [SERVICE],
    "services_limit": "int",
    "service_memory": "str",
    "service_memory_swap": "str",
    "service_memory_reservation": "str",
    "service_cgroup_parent": "str",
    "service_slot_cgroup_template": "str",
    "service_cpuset_cpus": "str",
    "service_cpus": "str",
    "service_cpu_shares": "int",
    "service_gpus": "str",
    "wait_for_services_timeout": "int",
    "allowed_images": "list",
    "allowed_privileged_images": "list",
    "allowed_privileged_services": "list",
    "allowed_pull_policies": "list",
    "allowed_services": "list",
    "pull_policy": "strs",
    "isolation": "str",
    "shm_size": "int!",
    "tmpfs": "map",
    "services_tmpfs": "map",
    "sysctls": "map",
    "helper_image": "str",
    "helper_image_flavor": "str",
    "container_labels": "map",
    "enable_ipv6": "bool",
    "ulimit": "map",
    "log_options": "map",
    "network_mtu": "int!",
}

# Where the flag or the environment variable is not simply spelt after the key.
FLAGS = {
    "tls_cert_path": "cert-path",
    "tls_verify": "tlsverify",
    "userns_mode": "userns",
    "allowed_users": "allowed_users",
    "services_privileged": "services_privileged",
    "services_devices": "services_devices",
    "service_gpus": "service_gpus",
}
ENVIRONMENT = {
    "tls_cert_path": "DOCKER_CERT_PATH",
    "ipcmode": "DOCKER_IPC_MODE",
}
