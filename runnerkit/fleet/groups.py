"""What doctor looks at, in its order: each check in its group, with the words of its line."""

from collections.abc import Callable
from dataclasses import dataclass

from runnerkit.checks import (
    acceptance,
    config_file,
    disk,
    engine,
    expiry,
    leftovers,
    managers,
    metadata_address,
    plugins,
    polling,
    runners,
    selinux,
    unknown,
)
from runnerkit.converge import Check
from runnerkit.facts import Facts
from runnerkit.want import Want

Known = Callable[[Want, Facts], bool]


def _always(_: Want, __: Facts) -> bool:
    return True


def _engine(_: Want, have: Facts) -> bool:
    return have.docker_runs


@dataclass(frozen=True)
class Row:
    """A check in a group; `known` is whether it can be told. `before` are those of a blank host."""

    group: str
    title: str
    check: Check
    known: Known = _always
    before: bool = False


ROWS = (
    Row("host", "disk and inodes", disk, before=True),
    Row("engine", "Docker runs", unknown),
    Row("engine", "Docker and gitlab-runner understand each other", engine, _engine),
    Row("engine", "SELinux lets jobs have their mounts", selinux, _engine),
    Row("runner", "config.toml", config_file),
    Row("runner", "concurrent, limit and request_concurrency", polling),
    Row("runner", "no entry that the settings do not name", leftovers),
    Row("runner", "files of autoscalers", plugins),
    Row("gitlab", "the manager runs", managers, _engine),
    Row("gitlab", "GitLab accepts the runners", acceptance, managers.runs),
    Row("gitlab", "tokens do not end soon", expiry),
    Row("gitlab", "runners are at GitLab as the settings say", runners),
    Row("jobs", "the cloud's metadata address", metadata_address),
)
