"""How all hosts are, on a screen: a line a host, and under it what is unwell."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from time import sleep

from runnerkit.checks.finding import Finding, Level
from runnerkit.checks.runner.managers import DRAINED, RESTARTING
from runnerkit.errors import INTERRUPTED, KitError
from runnerkit.fleet.health.status import HostStatus
from runnerkit.fleet.run import Outcome
from runnerkit.printable import counted, in_one_line
from runnerkit.report import outcome as of
from runnerkit.report.page import GITLAB, Page, advice, size
from runnerkit.report.tables import grid
from runnerkit.settings import durations

NONE = "-"
EVERY = 5.0  # s
HEADS = ("host", "engine", "manager", "runners", "jobs", "images", "free", "drift")


def shown(outcomes: list[Outcome[HostStatus]], elsewhere: Sequence[Finding] = ()) -> Page:
    """The table; the exit code: 0 all well, 1 a host is unwell or cannot be seen.

    Args:
        outcomes: of the hosts.
        elsewhere: what is to be noted of GitLab, and of no host.
    """
    differing = _differing(outcomes)
    heading, *rows = grid(HEADS, [_row(one, differing) for one in outcomes]) or [[""]]
    lines = heading
    for one, row in zip(outcomes, rows, strict=True):
        lines += [*row, *_under(one)]
    if elsewhere:
        lines += [GITLAB, *_noted(elsewhere, GITLAB)]
    data = of.hosts(outcomes, _state, lambda one: _data(one, differing))
    data |= {"findings": of.findings(elsewhere)}
    unwell = any(_state(one) == "unwell" for one in outcomes)
    return Page(lines, data, (), of.failed(outcomes) or int(unwell))


def watched(look: Callable[[], Page]) -> Page:
    """Look again and again, each time in place of the last, until Ctrl-C; then the last page's data."""
    from rich.console import Console

    console, page = Console(), Page((), {})
    with suppress(KeyboardInterrupt):
        while True:
            try:
                page = look()
            except KitError as error:
                if error.code == INTERRUPTED:
                    break
                raise
            console.clear()
            for line in page.lines:
                console.print(in_one_line(line), markup=False, highlight=False, soft_wrap=True)
            sleep(EVERY)
    return replace(page, lines=(), code=0)


def _differing(outcomes: list[Outcome[HostStatus]]) -> set[str]:
    contents: dict[str, set[str]] = defaultdict(set)
    for one in outcomes:
        for name, content in one.result.images if one.result else ():
            contents[name].add(content)
    return {name for name, known in contents.items() if len(known) > 1}


def _state(one: Outcome[HostStatus]) -> str:
    found = one.result.findings if one.result else ()
    return "unwell" if any(each.level is Level.ERROR for each in found) else "ok"


def _row(one: Outcome[HostStatus], differing: set[str]) -> tuple[str, ...]:
    if (now := one.result) is None:
        return (one.host, "unreachable", *[NONE] * (len(HEADS) - 2))
    free = size(now.free_kb << 10)
    if now.free_inodes is not None and now.free_inodes < 100_000:
        free += f", {counted(now.free_inodes, 'inode')}"
    drift = NONE if now.changes is None else str(len(now.changes))
    return (
        one.host,
        _engine(now),
        _manager(now),
        _runners(now),
        _jobs(now),
        _images(now, differing),
        free,
        drift,
    )


def _engine(now: HostStatus) -> str:
    more = [now.store] * (now.store == "containerd") + ["cache"] * now.cache
    return ", ".join([now.engine or "none", *more])


def _manager(now: HostStatus) -> str:
    if not now.engine:
        return NONE
    parts = [now.manager or NONE]
    if now.behind:
        parts.append(f"{now.behind} behind")
    codes = {one.code for one in now.findings}
    idle = "restarting" if RESTARTING.code in codes else "stopped"
    idle = "drained" if DRAINED.code in codes else idle
    parts.append(f"up {_since(now.started)}" if now.started else idle)
    return ", ".join(parts)


def _runners(now: HostStatus) -> str:
    if not now.runners:
        return NONE
    good = sum(one.accepted and one.online in ("", "online") for one in now.runners)
    text = f"{good} of {len(now.runners)} {'online' if any(one.online for one in now.runners) else 'accepted'}"
    soonest = min((one.expires for one in now.runners if one.expires), default="")
    return f"{text}, token until {soonest[:10]}" if soonest else text


def _jobs(now: HostStatus) -> str:
    if not now.jobs:
        return "0"
    oldest = now.jobs[0]
    return f"{len(now.jobs)}: {oldest.project}#{oldest.id} for {_since(oldest.since)}"


def _images(now: HostStatus, differing: set[str]) -> str:
    names = {name for name, _ in now.images} | {name for name, _ in now.stale}
    if not (names and now.engine):
        return NONE
    words = [f"{len(now.stale)} stale"] if now.stale else []
    if count := len(differing & names):
        words.append(f"{count} differ")
    return ", ".join(words) or f"{len(names)} current"


def _under(one: Outcome[HostStatus]) -> Iterator[str]:
    """What is unwell, and what to do about it."""
    if one.error:
        yield f"  {Level.ERROR}: {one.error}"
        yield f"    fix: {advice(one.fix, one.host)}"
    yield from _noted(one.result.findings if one.result else (), one.host)


def _noted(findings: Sequence[Finding], host: str) -> Iterator[str]:
    for found in findings:
        yield f"  {found.level}: {found.what}"
        yield f"    fix: {advice(found.fix, host)}"


def _data(one: Outcome[HostStatus], differing: set[str]) -> dict[str, object]:
    if (now := one.result) is None:
        return {"findings": []}
    stale = dict(now.stale)
    names = dict.fromkeys([*dict(now.images), *stale])
    return {
        "engine": now.engine or None,
        "store": now.store or None,
        "cache": now.cache,
        "manager": {
            "version": now.manager or None,
            "behind": now.behind,
            "started": now.started or None,
        },
        "runners": [asdict(each) for each in now.runners],
        "jobs": [asdict(each) for each in now.jobs],
        "images": [
            {"image": name, "stale": stale.get(name), "differs": name in differing}
            for name in names
        ],
        "free": {"bytes": now.free_kb << 10, "inodes": now.free_inodes},
        "changes": None if now.changes is None else of.changes(now.changes),
        "findings": of.findings(now.findings, one.host),
    }


def _since(time: str) -> str:
    """How long ago, as people say it; Docker writes nanoseconds, which no date of Python's has."""
    seconds = (datetime.now(UTC) - datetime.fromisoformat(time[:19] + "+00:00")).total_seconds()
    return durations.spoken(seconds)
