"""What bootstrap did, and what plan would have it do."""

from collections.abc import Sequence

from runnerkit.checks.finding import Finding, Level
from runnerkit.fleet.bootstrap import Bootstrapped, Planned
from runnerkit.fleet.run import Outcome
from runnerkit.report import outcome as of
from runnerkit.report.page import GITLAB, Page, once
from runnerkit.report.tables import table


def bootstrapped(outcomes: list[Outcome[Bootstrapped]]) -> Page:
    """What was done; the exit code: 0 all done, 1 a host failed."""
    rows = [
        (
            one.host,
            "failed" if one.error else of.changed(one),
            str(len(one.changes)),
            ", ".join(one.result.runners if one.result else ()) or "-",
            str(one.result.concurrent) if one.result else "-",
            f"{one.seconds:.1f} s",
        )
        for one in outcomes
    ]
    data = of.hosts(
        outcomes,
        of.changed,
        lambda one: {
            "changes": of.changes(one.changes),
            "runners": list(one.result.runners if one.result else ()),
            "concurrent": one.result.concurrent if one.result else None,
            "findings": of.findings(one.result.findings if one.result else (), one.host),
        },
    )
    heads = ("host", "state", "changes", "runners accepted", "jobs at once", "time")
    return Page(table(heads, rows), data, _messages(outcomes), of.failed(outcomes))


def planned(outcomes: list[Outcome[Planned]], elsewhere: Sequence[Finding] = ()) -> Page:
    """What would be done; the exit code: 0 nothing, 1 a host failed or would, 2 changes pending.

    Args:
        outcomes: of the hosts.
        elsewhere: what is to be noted of GitLab, and of no host.
    """
    lines: list[str] = []
    for one in outcomes:
        if not one.result or one.error:
            continue
        lines += of.pending(one.host, one.result.changes)
    data = of.hosts(
        outcomes,
        lambda one: "pending" if one.result and one.result.changes else "ok",
        lambda one: {
            "changes": of.changes(one.result.changes if one.result else ()),
            "findings": of.findings(one.result.findings if one.result else (), one.host),
        },
    )
    results = [one.result for one in outcomes if one.result]
    pending = any(result.changes for result in results)
    fails = any(one.level is Level.ERROR for result in results for one in result.findings)
    code = of.failed(outcomes) or int(fails) or (2 if pending else 0)
    data |= {"findings": of.findings(elsewhere)}
    messages = [*_messages(outcomes), *once(of.notes(GITLAB, elsewhere))]
    return Page(lines, data, messages, code)


def _messages(outcomes: list[Outcome[Bootstrapped]] | list[Outcome[Planned]]) -> list[str]:
    notes = [
        note for one in outcomes if one.result for note in of.notes(one.host, one.result.findings)
    ]
    return once([*notes, *of.errors(outcomes)])
