"""The sections of runnerkit.toml, as types."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from runnerkit.settings.secrets import Source

DEFAULT = "default"  # the runner of a run without settings


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class GitLab(Section, frozen=True):
    url: Annotated[str, Meta(pattern=r"^(https?://[^\s/]+.*)?$")] = ""
    api_token: Source | None = None


class Docker(Section, frozen=True):
    source: Literal["distro", "docker-ce", "script", "present"] = "distro"
    package_mirror: Annotated[str, Meta(pattern=r"^(https?://.+|Aliyun|AzureChinaCloud)?$")] = ""
    registry_mirrors: tuple[Annotated[str, Meta(pattern=r"^https?://.+$")], ...] = ()
    daemon: dict[str, Any] = {}
    min_free_mb: Annotated[int, Meta(ge=0)] = 2048
    registry_image: str = "registry:2"


class Manager(Section, frozen=True):
    """The container that reads config.toml; `stop_timeout` is what its jobs get to end, in s."""

    image: str = "gitlab/gitlab-runner:v19.3.0"
    helper_image: str = ""
    container: Annotated[str, Meta(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]+$")] = "gitlab-runner"
    config_dir: Annotated[str, Meta(pattern=r"^/.*[^/]$")] = "/srv/gitlab-runner/config"
    concurrent: Annotated[int, Meta(ge=1)] | Literal["auto"] | None = None
    stop_timeout: Annotated[int, Meta(ge=1)] = 3600
    environment: dict[str, str] = {}
    settings: dict[str, Any] = {}


class Runner(Section, frozen=True):
    """An entry of config.toml. What is None is left as it is found."""

    name: str = ""
    token: Source | None = None
    registration_token: Source | None = None
    type: Literal["", "instance_type", "group_type", "project_type"] = ""
    project: int | None = None
    group: int | None = None
    image: str = ""
    tags: tuple[str, ...] | None = None
    run_untagged: bool | None = None
    locked: bool | None = None
    paused: bool | None = None
    access_level: Literal["not_protected", "ref_protected"] | None = None
    maximum_timeout: Annotated[int, Meta(ge=600)] | None = None
    executor: Literal["docker", "docker-autoscaler", "instance"] = "docker"
    pull_policy: tuple[Literal["always", "if-not-present", "never"], ...] = ("if-not-present",)
    docker: dict[str, Any] = {}
    autoscaler: dict[str, Any] = {}
    settings: dict[str, Any] = {}

    @property
    def kind(self) -> str:
        """The runner's type at GitLab, told by what it belongs to where it is not said."""
        if self.type:
            return self.type
        if self.project is not None:
            return "project_type"
        return "group_type" if self.group is not None else "instance_type"


class Image(Section, frozen=True):
    """A job image, or what a folder of dockerfiles/ needs beside its Dockerfile."""

    base: str = ""
    packages: tuple[str, ...] = ()
    build_args: dict[Annotated[str, Meta(pattern=r"^[A-Za-z_]\w*$")], str] = {}
    labels: dict[str, str] = {}
    platform: str = ""
    secrets: dict[str, Source] = {}


class Prune(Section, frozen=True):
    """What makes room on a host: begins at `high` percent of the disk in use, stops at `low`.

    `images` are never taken; with a * at the end, all whose names begin so.
    """

    keep: Annotated[int, Meta(ge=0)] = 2
    high: Annotated[int, Meta(ge=1, le=100)] = 80
    low: Annotated[int, Meta(ge=0, le=100)] = 60
    cache_days: Annotated[int, Meta(ge=1)] = 14
    schedule: Literal["", "hourly", "daily", "weekly"] = ""
    images: tuple[Annotated[str, Meta(pattern=r"^[\w./:@-]+\*?$")], ...] = ()


class Golden(Section, frozen=True):
    """The machine image; `base` is a cloud image's path or URL, or "" for one made of packages.

    `user` is the login user in group docker that docker-autoscaler connects as. `runners` are those
    that the image is for: one that registers itself, or an autoscaler's; None for all.
    """

    base: Annotated[str, Meta(pattern=r"^(https?://.+|[^:]*)$")] = ""
    suite: str = "bookworm"
    disk_gb: Annotated[int, Meta(ge=4)] = 8
    memory_mb: Annotated[int, Meta(ge=512)] = 2048
    cpus: Annotated[int, Meta(ge=1)] = 2
    user: Annotated[str, Meta(pattern=r"^[a-z_][a-z0-9_-]*$")] = "runner"
    packages: tuple[Annotated[str, Meta(pattern=r"^[\w.+:=~-]+$")], ...] = ()
    runners: tuple[str, ...] | None = None


class HostSettings(Section, frozen=True):
    address: str
    runners: tuple[str, ...] | None = None
    identity: str = ""
    sudo_password: Source | None = None


class Ssh(Section, frozen=True):
    known_hosts: str = "~/.ssh/known_hosts"


class Settings(Section, frozen=True):
    gitlab: GitLab = GitLab()
    docker: Docker = Docker()
    manager: Manager = Manager()
    ssh: Ssh = Ssh()
    prune: Prune = Prune()
    golden: Golden = Golden()
    runners: dict[str, Runner] = {}
    images: dict[str, Image] = {}
    hosts: dict[str, HostSettings] = {}
