"""What doctor found, by groups: a mark a check, and under what is not well what to do."""

from collections.abc import Iterator
from itertools import groupby

from runnerkit.checks.finding import Level
from runnerkit.fleet.health.doctor import Diagnosis, Verdict
from runnerkit.fleet.run import Outcome
from runnerkit.printable import counted
from runnerkit.report import outcome as of
from runnerkit.report.page import Page, advice

MARKS = {"ok": "√", "error": "×", "note": "!", "unknown": "·"}


def diagnosed(outcomes: list[Outcome[Diagnosis]]) -> Page:
    """The exit code: 0 where no error is found, else 1."""
    lines = [line for one in outcomes for line in _host(one)]
    data = of.hosts(outcomes, _state, _data)
    unwell = any(_state(one) == "unwell" for one in outcomes)
    return Page([*lines, _sum(outcomes)], data, (), of.failed(outcomes) or int(unwell))


def _state(one: Outcome[Diagnosis]) -> str:
    return "unwell" if one.result and one.result.count(Level.ERROR) else "ok"


def _host(one: Outcome[Diagnosis]) -> Iterator[str]:
    yield one.host
    if one.error:
        yield f"  {MARKS['error']} {one.error}"
        yield f"      fix: {advice(one.fix, one.host)}"
    verdicts = one.result.verdicts if one.result else ()
    for group, members in groupby(verdicts, lambda verdict: verdict.group):
        yield f"  {group}"
        for verdict in members:
            yield from _verdict(verdict, one.host)
    if changes := one.result.changes if one.result else ():
        yield "  bootstrap would"
        yield from (f"    {change.title}" for change in changes)


def _verdict(verdict: Verdict, host: str) -> Iterator[str]:
    if not verdict.findings:
        yield f"    {MARKS[_mark(verdict)]} {verdict.title}" + (
            "" if verdict.known else ": not known"
        )
    for found in verdict.findings:
        yield f"    {MARKS[found.level]} {verdict.title}: {found.what}"
        yield f"        fix: {advice(found.fix, host)}  [{found.code}]"


def _mark(verdict: Verdict) -> str:
    levels = {one.level for one in verdict.findings}
    if levels:
        return str(Level.ERROR if Level.ERROR in levels else Level.NOTE)
    return "ok" if verdict.known else "unknown"


def _sum(outcomes: list[Outcome[Diagnosis]]) -> str:
    results = [one.result for one in outcomes if one.result]
    marks = [_mark(verdict) for result in results for verdict in result.verdicts]
    errors = sum(result.count(Level.ERROR) for result in results)
    errors += sum(bool(one.error) for one in outcomes)
    notes = sum(result.count(Level.NOTE) for result in results)
    counts = (
        f"{counted(marks.count('ok'), 'check')} well",
        counted(errors, "error"),
        counted(notes, "note"),
        f"{marks.count('unknown')} not known",
    )
    return f"{counted(len(outcomes), 'host')}: {', '.join(counts)}"


def _data(one: Outcome[Diagnosis]) -> dict[str, object]:
    verdicts = one.result.verdicts if one.result else ()
    return {
        "checks": [
            {
                "group": verdict.group,
                "title": verdict.title,
                "mark": _mark(verdict),
                "codes": [found.code for found in verdict.findings],
            }
            for verdict in verdicts
        ],
        "findings": of.findings(one.result.findings if one.result else (), one.host),
        "changes": of.changes(one.result.changes if one.result else ()),
    }
