"""What doctor looks at, in its order: each check in its group, with the words of its line."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from runnerkit.checks.engine import api_version, apparmor, engine_runs, selinux, unknown, upgrades
from runnerkit.checks.gitlab import acceptance, api_token, expiry, runners
from runnerkit.checks.host import blank_host, disk, neighbours, system
from runnerkit.checks.jobs import cache_poisoning, helper_image, metadata_address, powers
from runnerkit.checks.network import (
    carries,
    chosen_mirrors,
    gitlab_answers,
    mirrors,
    mtu,
    package_sources,
    proxy,
    registries,
    site_cache,
)
from runnerkit.checks.runner import (
    config_file,
    config_keys,
    leftovers,
    manager_container,
    managers,
    memory,
    plugins,
    polling,
    token_kind,
)
from runnerkit.converge import Check
from runnerkit.facts import Facts
from runnerkit.fleet.health.rehearsal import SUBJECTS
from runnerkit.want import Want

TIMED_OUT = 124  # of ``timeout``: the program had no time to ask, which is no answer of GitLab's
Known = Callable[[Want, Facts], bool | None]


def _always(_: Want, __: Facts) -> bool:
    return True


def _engine(_: Want, have: Facts) -> bool:
    return have.docker_runs


def _asked(_: Want, have: Facts) -> bool:
    return bool(have.probe and have.probe.gitlab)


def _pulls(_: Want, have: Facts) -> bool | None:
    served = have.probe and have.probe.forwards and have.probe.served
    if have.offers and not served:  # all are asked of mirrors that choose themselves
        return None
    return bool(served) and (have.docker_runs or not have.dockerd)


def _accepts(want: Want, have: Facts) -> bool:
    in_time = not have.verify.rstrip().endswith(f"exit {TIMED_OUT}")
    return managers.runs(want, have) and gitlab_answers.answers(have) and in_time


@dataclass(frozen=True)
class Row:
    """A check in a group.

    `known` is whether it can be told (None: it is nothing to this host). `when` tells on which hosts
    it is asked: those that are set up, those that are blank, or both.
    """

    group: str
    title: str
    check: Check
    known: Known = _always
    when: Literal["after", "before", "both"] = "after"


ROWS = (
    Row("host", "distribution and processor", system, when="both"),
    Row("host", "disk and inodes", disk, when="both"),
    Row("host", "no other gitlab-runner", neighbours),
    Row("engine", "nothing in Docker's way", blank_host, when="before"),
    Row("engine", "Docker answers", engine_runs),
    Row("engine", "Docker and gitlab-runner understand each other", api_version, _engine),
    Row("engine", "AppArmor", apparmor, _engine),
    Row("engine", "SELinux lets jobs have their mounts", selinux, _engine),
    Row("engine", "nothing replaces Docker under jobs", upgrades, _engine),
    Row("network", "size of packets", mtu, _engine),
    Row("network", "proxies", proxy),
    Row("network", "the kit's questions to servers", carries, when="both"),
    Row("network", "GitLab's name, certificate, answer and clock", gitlab_answers, _asked, "both"),
    Row("network", "package sources", package_sources, carries.known, "before"),
    Row("registries", "each registry serves the images", registries, _pulls, "both"),
    Row("registries", "mirrors choose themselves", chosen_mirrors, chosen_mirrors.known, "both"),
    Row("registries", "the site's caches serve the images", site_cache, site_cache.known),
    Row("runner", "config.toml", config_file),
    Row("runner", "keys of config.toml", config_keys),
    Row("runner", "kinds of tokens", token_kind),
    Row("runner", "the manager runs", managers, _engine),
    Row("runner", "the manager's container", manager_container, _engine),
    Row("runner", "concurrent, limit and request_concurrency", polling),
    Row("runner", "no entry that the settings do not name", leftovers),
    Row("runner", "what has left the settings", memory),
    Row("runner", "files of autoscalers", plugins),
    Row("gitlab", "GitLab accepts the runners", acceptance, _accepts),
    Row("gitlab", "GitLab's API shows the runners", api_token, api_token.known),
    Row("gitlab", "tokens do not end soon", expiry),
    Row("gitlab", "runners are at GitLab as the settings say", runners),
    Row("jobs", "helper image and job images", helper_image, _engine),
    Row("jobs", "what jobs can do to the host", powers),
    Row("jobs", "caches of protected branches", cache_poisoning),
    Row("jobs", "the cloud's metadata address", metadata_address),
    *(Row("jobs", one.title, one, one.known) for one in SUBJECTS),
)
# What bootstrap and plan note in words of their own, and doctor finds as an error by other checks.
ELSEWHERE: tuple[Check, ...] = (unknown, mirrors)
