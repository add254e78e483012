"""All state, in memory, behind one lock that also wakes whoever waits for a job."""

import itertools
import secrets
import string
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.gitlab.model import Job, Manager, Runner
from sandbox.gitlab.seed import PROJECTS, Seed

_ALPHABET = string.ascii_letters + string.digits + "-_"


def created_token() -> str:
    """Of a runner that was created first: `glrt-` and twenty characters."""
    return "glrt-" + "".join(secrets.choice(_ALPHABET) for _ in range(20))


def registered_token() -> str:
    """Of a runner that came with a registration token: twenty characters, no dash in front."""
    return secrets.choice(string.ascii_letters) + created_token()[-19:]


@dataclass
class Fault:
    """A failure ordered for an endpoint: instead of its work, or only in place of the answer."""

    endpoint: str
    status: int
    times: int
    after: bool = False


@dataclass
class Switches:
    """What the control interface can change while the server runs."""

    registration_tokens: bool = True
    runner_token_seconds: int | None = None
    ahead_seconds: int = 0  # of its clock


class State:
    """The state. Every handler runs with `changed` held, so none needs a lock of its own."""

    def __init__(self, seed: Seed, url: str, clock: Callable[[], float] = time.time) -> None:
        self.seed = seed
        self.url = url
        self._clock = clock
        self.changed = threading.Condition()
        self.runners: dict[int, Runner] = {}
        self.jobs: dict[int, Job] = {}
        self.projects = {project.id: project for project in PROJECTS}
        self.switches = Switches()
        self.faults: list[Fault] = []
        self.requests: Counter[str] = Counter()
        self.queue_value = secrets.token_hex(32)  # X-GitLab-Last-Update
        self._numbers = itertools.count(1)
        self._job_numbers = itertools.count(1)

    def now(self) -> float:
        """Its time, in seconds since 1970."""
        return self._clock() + self.switches.ahead_seconds

    def new_runner(self, runner_type: str, token: str) -> Runner:
        """A new runner, known to nobody until it is put among `runners`."""
        runner = Runner(next(self._numbers), token, runner_type, self.now())
        self.reset_token(runner)
        return runner

    def reset_token(self, runner: Runner) -> None:
        """A new token of the same kind; the old one is worth nothing from now on."""
        life = self.switches.runner_token_seconds
        created = runner.token.startswith("glrt-")
        runner.token = created_token() if created else registered_token()
        runner.token_expires_at = self.now() + life if life else None

    def runner_by_token(self, token: str) -> Runner | None:
        """The runner that owns a token which has not expired."""
        for runner in self.runners.values():
            if runner.token == token:
                expired = runner.token_expires_at and runner.token_expires_at <= self.now()
                return None if expired else runner
        return None

    def contact(self, runner: Runner, system_id: str, ip_address: str) -> Manager:
        """The runner was heard of: note it, and who spoke for it."""
        now = self.now()
        runner.contacted_at = now
        if system_id not in runner.managers:
            number = next(self._numbers)
            runner.managers[system_id] = Manager(number, system_id, now, now, ip_address)
        manager = runner.managers[system_id]
        manager.contacted_at, manager.ip_address = now, ip_address
        return manager

    def add_job(self, project_id: int) -> Job:
        """A new job; it is in the queue when `queue_changed` is called."""
        job = Job(
            next(self._job_numbers), f"glcbt-64_{secrets.token_urlsafe(15)}", project_id, self.now()
        )
        self.jobs[job.id] = job
        return job

    def queue_changed(self) -> None:
        """Wake everyone who waits for a job."""
        self.queue_value = secrets.token_hex(32)
        self.changed.notify_all()

    def next_job(self, runner: Runner) -> Job | None:
        """The oldest job in the queue that the runner may take."""
        waiting = (job for job in self.jobs.values() if job.status == "pending")
        return next((job for job in waiting if runner.wants(job)), None)

    def take_fault(self, endpoint: str) -> Fault | None:
        """The failure ordered for this request, if any."""
        for fault in self.faults:
            if fault.endpoint in (endpoint, "*") and fault.times > 0:
                fault.times -= 1
                return fault
        return None
