"""Where hosts stand between two versions of the manager."""

from collections.abc import Iterator

from runnerkit.fleet.changes.rollout import Standing
from runnerkit.fleet.changes.upgrade import Upgraded
from runnerkit.fleet.run import Outcome
from runnerkit.report import outcome as of
from runnerkit.report.page import Page, once
from runnerkit.report.tables import table


def upgraded(end: Upgraded) -> Page:
    """The exit code: 0 all are where they should be, 1 one is not, 2 a dry run has changes."""
    lines: list[str] = []
    rows = []
    for one in end.outcomes:
        if one.result and one.result.pending:
            lines += of.pending(one.host, one.result.pending)
        rows.append((one.host, _state(one, end.back), *_way(one.result), f"{one.seconds:.1f} s"))
    data = of.hosts(
        end.outcomes,
        lambda one: _state(one, end.back),
        lambda one: {
            "standing": _state(one, end.back),
            "old": one.result.old if one.result else "",
            "new": one.result.new if one.result else "",
            "changes": of.changes(one.result.pending if one.result else one.changes),
        },
    )
    data |= {"image": end.image or None, "settings": str(end.file) if end.file else None}
    pending = any(one.result and one.result.pending for one in end.outcomes)
    code = of.code(end.outcomes, pending)
    lines += table(("host", "state", "from", "to", "time"), rows)
    return Page(lines, data, once([*_notes(end), *of.errors(end.outcomes)]), code)


def _state(one: Outcome[Standing], back: bool) -> str:
    state = one.result.state if one.result else "failed"
    if one.error and state in ("upgraded", "ready", "ok"):
        return "failed"
    return "rolled back" if back and state == "upgraded" else state


def _way(standing: Standing | None) -> tuple[str, str]:
    return (standing.old or "-", standing.new or "-") if standing else ("-", "-")


def _notes(end: Upgraded) -> Iterator[tuple[str, str, str, str]]:
    for one in end.outcomes:
        if one.result and one.result.drained:
            yield "note", one.host, "it is drained: its manager was not started", ""
    if end.file:
        yield "note", "settings", f"{end.file} says {end.image} now", ""
    elif end.image:
        what = f"they still say {end.settings}: bootstrap would put it back"
        yield "note", "settings", what, f'say [manager] image = "{end.image}", or give --write'
