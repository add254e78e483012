"""Hosts that drain, are drained, or take jobs again, shown."""

from collections.abc import Iterator
from dataclasses import asdict

from runnerkit.actions.drain import named
from runnerkit.fleet.changes.drain import DrainState, Terms
from runnerkit.fleet.run import Outcome
from runnerkit.report import outcome as of
from runnerkit.report.page import Page, once
from runnerkit.report.tables import table


def drained(outcomes: list[Outcome[DrainState]], wanted: Terms) -> Page:
    """How each host stands; the exit code: 0, 1 where one failed or was not drained in time, 2 where a
    dry run has changes.

    Args:
        outcomes: of the hosts.
        wanted: what was asked for.
    """
    lines: list[str] = []
    rows, notes = [], []
    for one in outcomes:
        if (now := one.result) is None:
            continue
        if wanted.dry:
            lines += of.pending(one.host, now.pending)
            continue
        rows.append((one.host, _state(now, wanted), str(len(now.jobs)), f"{one.seconds:.1f} s"))
        notes += list(_noted(one, now, wanted))
    lines += table(("host", "state", "jobs", "time"), rows)
    data = of.hosts(
        outcomes,
        lambda one: _state(one.result, wanted) if one.result else "failed",
        lambda one: {
            "jobs": [asdict(job) for job in (one.result.jobs if one.result else ())],
            "lost": [asdict(job) for job in (one.result.lost if one.result else ())],
            "drained": asdict(one.result.mark) if one.result and one.result.mark else None,
            "changes": of.changes(one.result.pending if wanted.dry and one.result else one.changes),
        },
    )
    pending = wanted.dry and any(one.result and one.result.pending for one in outcomes)
    return Page(lines, data, once([*notes, *of.errors(outcomes)]), of.code(outcomes, pending))


def _state(now: DrainState, wanted: Terms) -> str:
    if wanted.dry:
        return "pending" if now.pending else "ok"
    if wanted.resume:
        return "draining" if now.jobs else ("takes jobs" if now.running else "no manager")
    return "draining" if now.running else "drained"


def _noted(
    one: Outcome[DrainState], now: DrainState, wanted: Terms
) -> Iterator[tuple[str, str, str, str]]:
    if wanted.resume and now.jobs:
        yield (
            *("note", one.host),
            f"takes jobs again once {named(now.jobs, now.now)} has ended: Docker then starts the manager anew",
            "",
        )
    elif wanted.resume and not one.changes:
        yield "note", one.host, "takes jobs: nothing to resume", ""
    elif wanted.resume and not now.running:
        yield "note", one.host, "has no manager", "./inv bootstrap --host HOST runs it"
    elif not wanted.resume and now.mark and not one.changes:
        yield "note", one.host, f"already drained by {now.mark.by}, since {now.mark.since}", ""
    if now.lost:
        why = "ended at the deadline, as failed"
        if now.exited:
            why = f"lost, as the manager was killed (exit code {now.exited}), by Docker or by somebody"
        lost = f"{named(now.lost, now.now)}: {why}"
        yield "note", one.host, lost, "retry them at GitLab, on another host"
