"""The sections of runnerkit.toml, as types; below a key stands its description in docs/en/settings.md."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from runnerkit.settings import durations
from runnerkit.settings.bundle import BundleSettings
from runnerkit.settings.cache import CacheSettings
from runnerkit.settings.docker import Docker
from runnerkit.settings.hooks import Hooks
from runnerkit.settings.hosts import HostSettings
from runnerkit.settings.kinds import (
    HostName,
    ImageName,
    ImageOrVariable,
    Reference,
    ReferenceOrNone,
    SocketOrNone,
)
from runnerkit.settings.network import Network
from runnerkit.settings.runner import Runner
from runnerkit.settings.secrets import Source
from runnerkit.settings.unwritable import Line, Variable

DEFAULT = "default"  # the runner of a run without settings


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True): ...


class GitLab(Section, frozen=True):
    """The GitLab that the runners belong to."""

    url: Annotated[str, Meta(pattern=r"^(https?://[^\s/]+.*)?$", title="URL")] = ""
    """GitLab's address, https://…, as the hosts reach it. Needed, here or as `--url`."""
    api_token: Source | None = None
    """An access token with the scopes `create_runner` and `manage_runner` (or `api`). With it the
    kit creates runners and keeps their tags and the like at GitLab as they are written here."""
    resume_token: Source | None = None
    """An access token of scope `manage_runner` alone, for `runner.pause --for`: a host has it till then."""


class Manager(Section, frozen=True):
    """The container that reads config.toml and hands out jobs: GitLab's *runner manager*."""

    image: Reference = "gitlab/gitlab-runner:v19.3.0"
    """Its image. Name a version; another one replaces the container, after its jobs."""
    helper_image: ReferenceOrNone = ""
    """Where the helper image, which every job needs, is pulled from, if neither from beside the manager's
    image nor from GitLab's registry. On the host it gets the name that the runner looks for."""
    container: Annotated[str, Meta(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]+$")] = "gitlab-runner"
    """The container's name; that of your own where one was set up by hand."""
    config_dir: Annotated[str, Meta(pattern=r"^/.*[^/]$", title="absolute path")] = (
        "/srv/gitlab-runner/config"
    )
    """The folder on the host that has config.toml; the container sees it as /etc/gitlab-runner."""
    concurrent: Annotated[int, Meta(ge=1)] | Literal["auto"] | None = None
    """How many jobs run at once on a host. `auto` is as many as it has processors; left out, the
    host's own number stays, and a new host gets `auto`."""
    stop_timeout: Annotated[int, durations.of(durations.SECONDS, 1)] = 3600
    """How long running jobs get to end before the container is stopped or replaced."""
    environment: dict[Variable, Line] = {}
    """Variables of the container. They are no place for secrets: `docker inspect` shows them."""
    metrics: SocketOrNone = ""
    """Where the manager answers a Prometheus, on the host: `127.0.0.1:9252`, as `init` writes it. It has
    no password, so that another address opens it to all who reach that. Empty: as it is found."""
    settings: dict[str, Any] = {}
    """Any keys of config.toml's global part, for example `settings.check_interval = 3`."""


class Image(Section, frozen=True):
    """A job image that the kit builds: a base and packages, or what a folder dockerfiles/NAME needs
    beside its Dockerfile."""

    base: ImageOrVariable = ""
    """The image that it is built on. Only where there is no folder dockerfiles/NAME."""
    packages: tuple[str, ...] = ()
    """Packages of the base's distribution that are installed, also with versions: `make=4.3-4.1`."""
    build_args: dict[Annotated[str, Meta(pattern=r"^[A-Za-z_]\w*$")], str] = {}
    """Values of the Dockerfile's ARG lines. A changed one makes the image stale."""
    labels: dict[str, str] = {}
    """Labels of the image."""
    platform: str = ""
    """The platform that it is for, for example `linux/arm64`; without it, the host's own."""
    secrets: dict[str, Source] = {}
    """Secrets that the build may read with `RUN --mount=type=secret,id=NAME`. They stay in no layer,
    and a changed one does not make the image stale."""


class Prune(Section, frozen=True):
    """What `image.prune` does, and the hosts by themselves where a schedule is set."""

    keep: Annotated[int, Meta(ge=0)] = 2
    """How many previous builds of each job image stay, beside the current one."""
    high: Annotated[int, Meta(ge=1, le=100)] = 80
    """The percentage of the disk in use at which making room begins."""
    low: Annotated[int, Meta(ge=0, le=100)] = 60
    """The percentage of the disk in use at which it stops."""
    cache_days: Annotated[int, durations.of(durations.DAYS, 1)] = 14
    """Cache volumes that nothing has written to for so long may go."""
    schedule: Literal["", "hourly", "daily", "weekly"] = ""
    """How often a host makes room by itself, by a timer of systemd or by cron. Empty: never."""
    images: tuple[Annotated[str, Meta(pattern=r"^[\w./:@-]+\*?$")], ...] = ()
    """Images that are never taken, with a * at the end all whose names begin so: what only a
    .gitlab-ci.yml names, and nobody could pull again."""


class Golden(Section, frozen=True):
    """The machine image that `golden.bake` makes."""

    base: Annotated[str, Meta(pattern=r"^(https?://.+|[^:]*)$", title="path or URL")] = ""
    """A cloud image of Debian or Ubuntu (qcow2) to build on. Empty: a disk of Debian's packages."""
    base_checksum: Annotated[str, Meta(pattern=r"^(none|sha(256|512):[0-9a-f]{64,128})?\Z")] = ""
    """What the base must be, `sha256:…`. Empty: what is published beside it by https; `none`: anything."""
    suite: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9.-]*\Z")] = "bookworm"
    """The Debian release of a disk that is made of packages."""
    disk_gb: Annotated[int, Meta(ge=4)] = 8
    """The disk's size, in GB."""
    memory_mb: Annotated[int, Meta(ge=512)] = 2048
    """The memory of the machine while it is baked and tested, in MB."""
    cpus: Annotated[int, Meta(ge=1)] = 2
    """Its processors while it is baked and tested."""
    user: Annotated[str, Meta(pattern=r"^[a-z_][a-z0-9_-]*$")] = "runner"
    """A user in group docker who may log in by SSH with a key that user data gives; the one that an
    autoscaler's manager connects as."""
    packages: tuple[Annotated[str, Meta(pattern=r"^[\w.+:=~-]+$")], ...] = ()
    """More packages of the distribution that go into the image."""
    runners: tuple[str, ...] | None = None
    """The runners that the image is for, by their names here: one that each machine registers, or
    those of autoscalers, which no machine registers. Left out: all."""


class Ssh(Section, frozen=True):
    """How hosts are reached, beside ssh's own settings, which hold too."""

    known_hosts: str = ""
    """The file of the host keys that are accepted, in the place of ssh's own (`UserKnownHostsFile`)."""


class Settings(Section, frozen=True):
    gitlab: GitLab = GitLab()
    network: Network = Network()
    docker: Docker = Docker()
    manager: Manager = Manager()
    cache: CacheSettings = CacheSettings()
    ssh: Ssh = Ssh()
    prune: Prune = Prune()
    golden: Golden = Golden()
    bundle: BundleSettings = BundleSettings()
    hooks: Hooks = Hooks()
    runners: dict[str, Runner] = {}
    images: dict[ImageName, Image] = {}
    hosts: dict[HostName, HostSettings] = {}
