"""What is true of a host, as typed data."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from runnerkit.facts.belongings import Belongings
from runnerkit.facts.needs import Needs as Needs
from runnerkit.facts.packages import EnginePackages
from runnerkit.facts.probe import Probe, Served
from runnerkit.facts.rehearsal import Rehearsal
from runnerkit.images.content import instant, store

SETTLED = 10  # seconds: Docker itself then takes a container for one that has come up


@dataclass(frozen=True)
class File:
    """A file of the host; `modified` is seconds since 1970 by the host's clock."""

    data: bytes
    mode: int
    modified: int

    @property
    def text(self) -> str:
        return self.data.decode(errors="replace")

    @cached_property
    def toml(self) -> dict[str, Any]:
        """What it says as TOML, which many ask for and nobody changes.

        Raises:
            ValueError: it is no TOML.
        """
        return tomllib.loads(self.text)


@dataclass(frozen=True)
class Job:
    """A job that runs on the host: its number, its project's path, and since when, as Docker writes it."""

    id: str
    project: str
    since: str


@dataclass(frozen=True)
class ServerRunner:
    """A runner as GitLab's API has it; `manager` is how GitLab sees this host's, where it was asked."""

    id: int
    description: str = ""
    note: str = ""
    tags: frozenset[str] = frozenset()
    run_untagged: bool = True
    locked: bool = False
    paused: bool = False
    access_level: str = "not_protected"
    maximum_timeout: int | None = None
    token_expires_at: str = ""
    status: str = ""
    contacted_at: str = ""
    manager: str = ""


@dataclass(frozen=True)
class ServerManager:
    """A manager of a runner as GitLab's API has it; `contacted_at` is as GitLab writes it."""

    system_id: str
    status: str = ""
    contacted_at: str = ""
    ip_address: str = ""


@dataclass(frozen=True)
class Facts:
    """A host at one moment, and GitLab's side of its runners where an API token lets us see it.

    `now` is its clock (seconds since 1970), `id` its /etc/machine-id, `architecture` as its kernel names it. `key` stands for the SSH key
    that it proved to have, which no other host can say ("" for this machine, and where GitLab is not
    asked).
    `ostree` says whether it has booted from an ostree, `podman` whether docker is its name, `unpacked`
    whether an interrupted dpkg left packages half installed. `free_kb` and `free_inodes` are where the
    images' disks have least of them (None: they have no fixed number), `disk` is the folder there.
    `started` is when dockerd started (seconds since 1970; 0 where it does not run), `info` is ``docker
    info`` (empty where no daemon answers), `version` what ``docker version`` tells of the server,
    `flags` what dockerd was started with. `paths` are those of the needed ones that exist, `verify` is
    what ``gitlab-runner verify`` said in the manager, `units` are the states of those that have a file
    (`older` where systemd has not read it anew), `rules` are those of iptables by their chain, `upgrades`
    what apt-config and dpkg tell where unattended-upgrades is (empty elsewhere), `cron` the directories
    that a running cron goes through, `server` GitLab's runners by their key in the settings, `tokens`
    whether GitLab knows that of the settings, of runners that have another here (absent: it was not
    asked, or did not answer), `packages` Docker's, where they are asked for, `probe` what doctor alone
    asks, `rehearsals` what jobs' containers told that it started, `belongings` what else Docker has,
    where that is asked, `offers` what registry mirrors serve, where they are to be chosen.
    """

    hostname: str
    id: str = ""
    key: str = ""
    architecture: str = "x86_64"
    os: Mapping[str, str] = field(default_factory=dict)
    cpus: int = 1
    now: int = 0
    systemd: bool = False
    dockerd: bool = False
    ostree: bool = False
    podman: bool = False
    unpacked: bool = False
    free_kb: int = 0
    free_inodes: int | None = None
    disk: str = "/"
    started: int = 0
    info: Mapping[str, Any] = field(default_factory=dict)
    version: Mapping[str, Any] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    containers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    images: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    files: Mapping[str, File] = field(default_factory=dict)
    paths: frozenset[str] = frozenset()
    jobs: int = 0
    work: tuple[Job, ...] = ()
    verify: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=dict)
    upgrades: tuple[str, ...] = ()
    cron: tuple[str, ...] = ()
    server: Mapping[str, ServerRunner] = field(default_factory=dict)
    tokens: Mapping[str, bool] = field(default_factory=dict)
    packages: EnginePackages = field(default_factory=EnginePackages)
    probe: Probe | None = None
    rehearsals: tuple[Rehearsal, ...] = ()
    belongings: Belongings = field(default_factory=Belongings)
    offers: tuple[Served, ...] = ()

    @property
    def identity(self) -> str:
        """What tells it from others at GitLab: many have the hostname that their cloud gave them."""
        known = hashlib.sha256(self.id.encode()).hexdigest()[:8] if self.id else ""
        marks = {"machine": known, "key": self.key}
        return " ".join([self.hostname, *(f"{key}={one}" for key, one in marks.items() if one)])

    def runs(self, container: str) -> bool:
        """Whether a container runs; one that Docker starts again and again does not."""
        state = self.containers.get(container, {}).get("State", {})
        return bool(state.get("Running")) and not self.restarts(container)

    def restarts(self, container: str) -> bool:
        """Whether it ends as soon as Docker has started it: it waits for its next start, or has just had
        one more that nobody asked for."""
        found = self.containers.get(container, {})
        state = found.get("State", {})
        young = self.now - instant(str(state.get("StartedAt", ""))) < SETTLED
        return bool(state.get("Restarting") or (found.get("RestartCount", 0) > 1 and young))

    @property
    def docker_runs(self) -> bool:
        return bool(self.info.get("ServerVersion"))

    @property
    def store(self) -> str:
        """Whose image store the engine has: each shows only its own images."""
        return store(self.info)
