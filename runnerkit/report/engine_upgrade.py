"""Docker itself upgraded, shown."""

from runnerkit.fleet.changes.engine_upgrade import EngineState
from runnerkit.fleet.run import Outcome
from runnerkit.report import outcome as of
from runnerkit.report.page import Page, once
from runnerkit.report.tables import table


def upgraded(outcomes: list[Outcome[EngineState]], dry: bool) -> Page:
    """The engine of each host; the exit code: 0, 1 where a host failed, 2 where a dry run has changes.

    Args:
        outcomes: of the hosts.
        dry: whether nothing was changed.
    """
    lines: list[str] = []
    rows, notes = [], []
    for one in outcomes:
        if (now := one.result) is None:
            continue
        notes += list(of.notes(one.host, [] if one.error else now.findings))
        if dry:
            lines += of.pending(one.host, now.pending)
            continue
        held = ", ".join(now.held) or "-"
        rows.append((one.host, _state(one), now.before, now.after, held, f"{one.seconds:.1f} s"))
    lines += table(("host", "state", "before", "now", "held", "time"), rows)
    data = of.hosts(
        outcomes,
        _state,
        lambda one: {
            "before": one.result.before if one.result else None,
            "engine": one.result.after if one.result else None,
            "held": list(one.result.held if one.result else ()),
            "findings": of.findings(one.result.findings if one.result else (), one.host),
            "changes": of.changes(one.result.pending if dry and one.result else one.changes),
        },
    )
    pending = dry and any(one.result and one.result.pending for one in outcomes)
    return Page(lines, data, once([*notes, *of.errors(outcomes)]), of.code(outcomes, pending))


def _state(one: Outcome[EngineState]) -> str:
    if one.error:
        return "failed"
    if one.result and one.result.pending:
        return "pending"
    return of.changed(one)
