"""Hosts whose managers take no more jobs, and are waited for side by side; and that take jobs again."""

from dataclasses import dataclass, replace
from time import monotonic

from runnerkit import resolve
from runnerkit.actions import drain
from runnerkit.actions.drain import Drain, EndJobs, Undrain, Watched
from runnerkit.errors import INTERRUPTED, KitError
from runnerkit.events import Detail, Phase
from runnerkit.facts import Facts, Job
from runnerkit.files import drained
from runnerkit.files.drained import Drained
from runnerkit.fleet.act import act
from runnerkit.fleet.host import Host
from runnerkit.fleet.run import AT_ONCE, Fleet, Outcome, Unfinished
from runnerkit.plan import Change
from runnerkit.settings import durations
from runnerkit.want import Want

LOOK = 2  # seconds between two looks at what still runs
AGAIN = 10  # seconds after which the same jobs are told again, with their age
RESUMED = "somebody has resumed the host while it drained: it takes jobs"
SILENT = "Docker, which does not answer"
ON = "./inv runner.drain --host {} waits on, with --resume jobs are taken again"


@dataclass(frozen=True)
class Terms:
    """What is asked for: `deadline` in seconds (None: none), as it was typed in `typed`; `kill` ends the
    jobs that are left then."""

    deadline: int | None = None
    typed: str = ""
    kill: bool = False
    resume: bool = False
    dry: bool = False


@dataclass(frozen=True)
class DrainState:
    """How a host stands: whether its manager runs, the jobs that it still has and those that were ended,
    its mark and its clock (seconds since 1970); in a dry run what would be changed; the manager's exit
    code, where it did not end by itself."""

    running: bool
    jobs: tuple[Job, ...] = ()
    lost: tuple[Job, ...] = ()
    mark: Drained | None = None
    now: int = 0
    pending: tuple[Change, ...] = ()
    exited: int = 0


def terms(deadline: str, on_deadline: str, resume: bool, dry: bool) -> Terms:
    """What was typed, checked.

    Raises:
        KitError: it is no duration, or the words do not go together.
    """
    seconds = durations.parsed(deadline, durations.SECONDS) if deadline else None
    if deadline and not seconds:
        raise KitError(
            f"--deadline {deadline}: no time to wait",
            "give it as 90s, 30m or 1h 30m; no host was touched",
        )
    if on_deadline not in ("wait", "kill"):
        raise KitError(f"--on-deadline {on_deadline}: no such way", "give wait or kill")
    if on_deadline == "kill" and not deadline:
        raise KitError("--on-deadline kill, and no deadline", "give --deadline 30m too")
    if resume and deadline:
        raise KitError("--resume waits for nothing", "leave --deadline out")
    return Terms(seconds, deadline.strip(), on_deadline == "kill", resume, dry)


def run(fleet: Fleet, wanted: Terms) -> list[Outcome[DrainState]]:
    """Drain hosts, or have them take jobs again; all stop taking jobs before any is waited for.

    Args:
        fleet: the hosts.
        wanted: what is asked for.

    Raises:
        KitError: Ctrl-C; it says which hosts go on draining.
    """
    by, draining = fleet.operation.operator, list[str]()

    def work(host: Host, want: Want) -> DrainState:
        if wanted.resume:
            return _resume(host, want, wanted.dry)
        begun = monotonic()
        acted = act(host, want, (Drain(by),), wanted.dry)
        mark = drained.parsed(acted.have)
        if wanted.dry:
            return DrainState(
                _runs(want, acted.have), acted.have.work, (), mark, acted.have.now, acted.pending
            )
        draining.append(host.name)
        host.hold.close()  # others may work there, where this run only waits
        end = begun + wanted.deadline if wanted.deadline else None
        left = _wait(host, want, end)
        ended = left.running is False
        jobs, lost = ((), left.work) if left.exited else (left.work, ())
        state = DrainState(not ended, jobs, lost, mark, left.now, exited=left.exited)
        if left.resumed:
            raise Unfinished(
                KitError(RESUMED, "./inv runner.drain --host HOST drains it again"), state
            )
        if ended:
            return state
        if wanted.kill:
            acted = act(host, want, (EndJobs(),), False)
            return DrainState(_runs(want, acted.have), (), left.work, mark, left.now)
        why = drain.named(left.work, left.now) if left.running else SILENT
        what = f"not drained within {wanted.typed}: {why}; it goes on draining"
        raise Unfinished(
            KitError(what, f"{ON.format('HOST')}; --on-deadline kill ends the jobs"), state
        )

    of_all = resolve.of_images(fleet.settings, "")  # only the manager matters here
    wants = {target.name: of_all for target in fleet.targets}
    usual = fleet.pace.at_once == AT_ONCE
    try:
        return fleet.each(wants, work, at_once=len(fleet.targets) if usual else None)
    except KitError as error:
        if error.code != INTERRUPTED or not draining:
            raise
        names = ",".join(draining)
        raise KitError(
            f"interrupted; {names} take no more jobs, and go on draining",
            ON.format(names),
            INTERRUPTED,
        ) from None


def _resume(host: Host, want: Want, dry: bool) -> DrainState:
    before = act(host, want, (Undrain(),), True)
    mark, have = drained.parsed(before.have), before.have
    if not dry:
        have = act(host, want, (Undrain(),), False).have
    now = have.containers.get(want.manager.container)
    ends = bool(mark and now and mark.ends(now) and _runs(want, have))
    pending = before.pending if dry else ()
    return DrainState(_runs(want, have), have.work if ends else (), (), mark, have.now, pending)


def _wait(host: Host, want: Want, end: float | None) -> Watched:
    """Wait until the manager has ended, or until `end` by our monotonic clock; with the jobs that it had
    where it was killed."""
    shown, since, before = None, 0, tuple[Job, ...]()
    while True:
        rest = LOOK if end is None else min(LOOK, max(1, int(end - monotonic())))
        now = drain.watched(host.look(drain.watch(want, rest)))
        before = now.work or before
        if now.exited:
            now = replace(now, work=before)
        if now.running is False or now.resumed or (end is not None and monotonic() >= end):
            return now
        if (now.running, now.work) != shown or (now.work and now.now - since >= AGAIN):
            text = f"waiting for {_awaited(now)}"
            host.tell(Detail(text) if shown else Phase(text))
            shown, since = (now.running, now.work), now.now


def _awaited(now: Watched) -> str:
    if now.running is None:
        return SILENT
    return drain.named(now.work, now.now) if now.work else "the manager to end"


def _runs(want: Want, have: Facts) -> bool:
    state = have.containers.get(want.manager.container, {}).get("State", {})
    return bool(state.get("Running"))
