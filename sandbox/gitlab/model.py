"""Runners, their managers and jobs, and the rules that need nothing but themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

ONLINE_SECONDS = 2 * 3600
STALE_SECONDS = 7 * 24 * 3600


def stamp(moment: float | None) -> str | None:
    """A moment as GitLab writes it."""
    if moment is None:
        return None
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def contact_status(created: float, contacted: float | None, now: float) -> str:
    """online, offline, stale or never_contacted."""
    if max(created, contacted or 0) <= now - STALE_SECONDS:
        return "stale"
    if contacted is None:
        return "never_contacted"
    return "online" if contacted > now - ONLINE_SECONDS else "offline"


@dataclass
class Manager:
    """One process that runs jobs for a runner, known by its system_id."""

    id: int
    system_id: str
    created_at: float
    contacted_at: float
    ip_address: str
    info: Mapping[str, object] = field(default_factory=dict)


@dataclass
class Runner:
    """An entry in config.toml, as the server knows it."""

    id: int
    token: str
    runner_type: str
    created_at: float
    token_expires_at: float | None = None
    description: str = ""
    maintenance_note: str = ""
    paused: bool = False
    locked: bool = False
    run_untagged: bool = True
    tag_list: list[str] = field(default_factory=list)
    access_level: str = "not_protected"
    maximum_timeout: int | None = None
    project_ids: list[int] = field(default_factory=list)
    group_ids: list[int] = field(default_factory=list)
    contacted_at: float | None = None
    managers: dict[str, Manager] = field(default_factory=dict)

    def status(self, now: float) -> str:
        """What the REST API calls status: `paused` hides online and offline there."""
        status = contact_status(self.created_at, self.contacted_at, now)
        return "paused" if self.paused and status in ("online", "offline") else status

    def serves(self, project_id: int) -> bool:
        """Whether a project is within its reach; all projects belong to the one group."""
        return self.runner_type != "project_type" or project_id in self.project_ids

    def wants(self, job: "Job") -> bool:
        """Whether reach, tags, protection and pause let this runner take the job."""
        if self.paused or not self.serves(job.project_id):
            return False
        if self.access_level == "ref_protected" and not job.protected:
            return False
        return set(job.tags) <= set(self.tag_list) if job.tags else self.run_untagged


@dataclass
class Job:
    """A job from its queue to its end."""

    id: int
    token: str
    project_id: int
    created_at: float
    name: str = "job"
    protected: bool = True
    image: str = ""
    script: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    timeout: int = 3600
    status: str = "pending"
    runner_id: int | None = None
    system_id: str | None = None
    started_at: float | None = None
    finished_at: float | None = None
    failure_reason: str | None = None
    exit_code: int | None = None
    trace: bytearray = field(default_factory=bytearray)
