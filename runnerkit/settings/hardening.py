"""What `hardening = "shared"` says of a runner: its jobs are of people who need not trust each other.

Every line of it is a key of config.toml that a plan shows, and that the runner's own `docker`,
`settings` or `pull_policy` overrides. Sources: GitLab Runner's page on security, and its
executors/docker.
"""

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from runnerkit.images.reference import HUB, registry, repository, untagged
from runnerkit.settings.autoscaler import EXECUTORS
from runnerkit.settings.docker import Docker
from runnerkit.settings.runner import Runner

# Of Docker's default capabilities, those that neither apt, git nor a compiler needs.
CAPABILITIES = ("AUDIT_WRITE", "MKNOD", "NET_RAW", "SETPCAP", "SYS_CHROOT")
NO_NEW_PRIVILEGES = ["no-new-privileges:true"]
DOCKER: dict[str, Any] = {
    "privileged": False,
    "services_privileged": False,
    "cap_add": [],
    "cap_drop": list(CAPABILITIES),
    "security_opt": NO_NEW_PRIVILEGES,
    "services_security_opt": NO_NEW_PRIVILEGES,
    "devices": [],
    "services_devices": {},
    "device_cgroup_rules": [],  # an image may bring the device itself
    "volume_driver_ops": {},  # of the local driver, by which a volume is any folder of the host
    "volumes": ["/cache"],
    "volumes_from": [],
    "network_mode": "",
    "pid_mode": "",
    "ipcmode": "",
    "userns_mode": "",
}
SETTINGS: dict[str, Any] = {
    "debug_trace_disabled": True,
    "feature_flags": {
        "FF_NETWORK_PER_BUILD": True,
        "FF_ENABLE_JOB_CLEANUP": True,
        "FF_GIT_URLS_WITHOUT_TOKENS": True,
    },
}


def hardened(spec: Runner, images: Iterable[str], local: bool) -> Runner:
    """The runner with all that its level says, under what it says itself.

    Args:
        spec: the runner of the settings.
        images: references of all images that the settings name for jobs.
        local: whether its own image is one that only the host has.
    """
    if spec.hardening == "trusted" or spec.executor == "instance":
        return spec
    allowed = sorted(_patterns(images))
    policy = spec.pull_policy or (("never",) if local else ("always",))
    lists = {
        "allowed_images": allowed,
        "allowed_services": allowed,
        "allowed_pull_policies": list(policy),
    }
    return replace(
        spec,
        pull_policy=policy,
        docker={**DOCKER, **lists, **spec.docker},
        settings=_over(SETTINGS, spec.settings),
    )


def closes_metadata(docker: Docker, runners: Iterable[Runner]) -> bool:
    """Whether containers are kept from the cloud's metadata address, which an autoscaler needs."""
    if docker.metadata:
        return docker.metadata == "closed"
    every = tuple(runners)
    shared = any(one.hardening == "shared" for one in every)
    return shared and not any(one.executor in EXECUTORS for one in every)


def _patterns(images: Iterable[str]) -> set[str]:
    """Patterns of doublestar: a registry that the settings name, whole; of Docker Hub those names alone."""
    found = set()
    for image in filter(None, images):
        if (domain := registry(image)) not in ("", HUB):
            found.add(f"{_escaped(domain)}/**")
        else:
            names = (repository(image), untagged(image))  # a job may name it either way
            found |= {f"{name}{more}" for name in names for more in ("", ":*", "@*")}
    return found


def _escaped(domain: str) -> str:
    """An IPv6 address, whose brackets would be a class of letters."""
    return domain.replace("[", "\\[").replace("]", "\\]")


def _over(level: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    tables = {
        key: {**value, **own[key]}
        for key, value in level.items()
        if isinstance(value, dict) and isinstance(own.get(key), dict)
    }
    return {**level, **own, **tables}
