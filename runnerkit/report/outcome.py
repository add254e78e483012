"""What every verb says of a host: how it fared, and what is to be noted."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from runnerkit.checks.finding import Finding
from runnerkit.fleet.run import Outcome
from runnerkit.plan import Change
from runnerkit.report.page import GITLAB, advice

R = TypeVar("R")


def hosts(
    outcomes: Iterable[Outcome[R]],
    state: Callable[[Outcome[R]], str],
    fields: Callable[[Outcome[R]], dict[str, object]],
) -> dict[str, object]:
    """The hosts as data: what all verbs tell, and the verb's own `fields`."""
    return {
        "hosts": [
            {
                "host": outcome.host,
                "state": "failed" if outcome.error else state(outcome),
                "notes": outcome.notes,
                **fields(outcome),
                "error": outcome.error or None,
                "fix": advice(outcome.fix, outcome.host) or None,
                "seconds": round(outcome.seconds, 2),
                "execs": outcome.execs,
            }
            for outcome in outcomes
        ]
    }


def errors(outcomes: Iterable[Outcome[Any]]) -> Iterator[tuple[str, str, str, str]]:
    """The failures, and what is noted whatever the verb, for ``page.once``."""
    for outcome in outcomes:
        yield from (("note", outcome.host, note, "") for note in outcome.notes)
        if outcome.error:
            yield "error", outcome.host, outcome.error, outcome.fix


def notes(host: str, findings: Iterable[Finding]) -> Iterator[tuple[str, str, str, str]]:
    """Findings, for ``page.once``."""
    for finding in findings:
        yield finding.level, host, finding.what, finding.fix


def failed(outcomes: Iterable[Outcome[Any]]) -> int:
    """The exit code of a verb that only fails or does not."""
    return int(any(outcome.error for outcome in outcomes))


def code(outcomes: Iterable[Outcome[Any]], pending: bool) -> int:
    """The exit code of a verb that can be tried: 0, 1 where a host failed, 2 where a dry run has changes."""
    return failed(outcomes) or 2 * pending


def changes(changes: Iterable[Change]) -> list[dict[str, str]]:
    """Changes as data."""
    return [{"title": change.title, "diff": change.diff} for change in changes]


def changed(outcome: Outcome[Any]) -> str:
    """How a host fared that did not fail."""
    return "changed" if outcome.changes else "ok"


def pending(host: str, changes: Sequence[Change]) -> Iterator[str]:
    """What would be changed on a host, as lines."""
    yield f"{host}: {f'{len(changes)} to change' if changes else 'nothing to change'}"
    for change in changes:
        yield f"  - {change.title}"
        yield from (f"      {line}" for line in change.diff.splitlines())


def findings(findings: Iterable[Finding], host: str = GITLAB) -> list[dict[str, str]]:
    """Findings as data."""
    return [
        {"code": one.code, "level": str(one.level), "what": one.what, "fix": advice(one.fix, host)}
        for one in findings
    ]
