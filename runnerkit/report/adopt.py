"""The settings that were written for hosts, and what they do not say."""

from runnerkit.adoption.gap import Gap
from runnerkit.fleet.adopt import Adopted, Adoption
from runnerkit.fleet.run import Outcome
from runnerkit.place import typed
from runnerkit.redact import mask
from runnerkit.report import outcome as of
from runnerkit.report.page import Page, once
from runnerkit.report.tables import table

HEADS = ("host", "in the file", "runners", "not said", "to change")


def adopted(adoption: Adoption) -> Page:
    """The exit code: 0 written, 1 a host failed or is not in the file."""
    rows = [_row(one) for one in adoption.outcomes]
    lines = table(HEADS, rows)
    for one in adoption.outcomes:
        if one.result and one.result.changes:
            lines.append(f"{one.host}: {len(one.result.changes)} to change")
        for change in one.result.changes if one.result else ():
            lines.append(f"  - {change.title}")
            lines += [f"      {line}" for line in change.diff.splitlines()]
    if adoption.variables:
        lines.append(
            "to be set before plan (tokens of runners: only for hosts that are not registered yet):"
        )
        lines += [f"  {name}: {place}" for name, place in adoption.variables.items()]
    if adoption.file:
        lines.append(typed(f"wrote {adoption.file}; next: ./inv plan --host all"))
    data = {
        "file": str(adoption.file) if adoption.file else None,
        "variables": adoption.variables,
        "gaps": [_gap(one) for one in adoption.gaps],
        **of.hosts(
            adoption.outcomes,
            lambda one: "ok" if one.result and not one.result.changes else "pending",
            _fields,
        ),
    }
    gaps = [
        ("not said", one.host or "all hosts", mask(one.what), one.fix) for one in _gaps(adoption)
    ]
    messages = once([*gaps, *of.errors(adoption.outcomes)])
    return Page(lines, data, messages, of.failed(adoption.outcomes))


def _row(one: Outcome[Adopted]) -> tuple[str, ...]:
    if one.result is None:
        return one.host, "-", "-", "-", "-"
    found = one.result
    counts = (len(found.gaps), len(found.changes))
    return one.host, found.name, ", ".join(found.runners), *(str(n or "-") for n in counts)


def _fields(one: Outcome[Adopted]) -> dict[str, object]:
    found = one.result
    return {
        "name": found.name if found else None,
        "runners": list(found.runners) if found else [],
        "gaps": [_gap(each) for each in found.gaps] if found else [],
        "changes": of.changes(found.changes if found else ()),
    }


def _gap(gap: Gap) -> dict[str, str]:
    return {"what": mask(gap.what), "fix": typed(gap.fix)}


def _gaps(adoption: Adoption) -> list[Gap]:
    return [
        *adoption.gaps,
        *(gap for one in adoption.outcomes if one.result for gap in one.result.gaps),
    ]
