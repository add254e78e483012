"""What went from hosts, or would; and the question before it does."""

from collections.abc import Iterable, Iterator

from runnerkit.fleet.clearing.remove import Agree, Removed
from runnerkit.fleet.run import Outcome
from runnerkit.place import typed
from runnerkit.printable import counted
from runnerkit.report import outcome as of
from runnerkit.report.page import Page, once
from runnerkit.report.question import ask
from runnerkit.report.tables import table


def agreed(yes: bool) -> Agree:
    """Ask on the terminal, unless it was said already.

    Raises:
        KitError: there is no terminal, or the answer is another.
    """

    def agree(outcomes: list[Outcome[Removed]]) -> None:
        if not yes:
            names = [one.host for one in outcomes if one.result and one.result.pending]
            what = names[0] if len(names) == 1 else counted(len(names), "host")
            answers = ("yes", *names) if len(names) == 1 else ("yes",)
            question = f"Remove this from {what}? Type {' or '.join(answers)}: "
            ask([*_lines(outcomes), *once(_notes(outcomes))], question, answers)

    return agree


def removed(outcomes: list[Outcome[Removed]], dry: bool) -> Page:
    """What went or would go; the exit code: 0, 1 a host failed, or 2 where a dry run found something."""
    lines = list(_lines(outcomes)) if dry else []
    rows = [
        (
            one.host,
            "failed" if one.error else _state(one),
            str(len(one.changes)),
            f"{one.seconds:.1f} s",
        )
        for one in outcomes
        if not dry
    ]
    lines += table(("host", "state", "changes", "time"), rows)
    data = of.hosts(
        outcomes,
        _state,
        lambda one: {
            "changes": of.changes(one.changes),
            "pending": of.changes(one.result.pending if one.result and dry else ()),
            "notes": list(map(typed, (*(one.result.notes if one.result else ()), *one.notes))),
        },
    )
    pending = dry and any(one.result and one.result.pending for one in outcomes)
    messages = once([*_notes(outcomes), *of.errors(outcomes)])
    return Page(lines, data, messages, of.code(outcomes, pending))


def _state(one: Outcome[Removed]) -> str:
    if one.changes:
        return "removed"
    return "pending" if one.result and one.result.pending else "nothing there"


def _lines(outcomes: Iterable[Outcome[Removed]]) -> Iterator[str]:
    for one in outcomes:
        if one.result and not one.error:
            yield from of.pending(one.host, one.result.pending)


def _notes(outcomes: Iterable[Outcome[Removed]]) -> Iterator[tuple[str, str, str, str]]:
    for one in outcomes:
        for text in one.result.notes if one.result else ():
            yield "note", one.host, typed(text), ""
