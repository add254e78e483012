"""Who changed what, shown: the lines of all hosts in time order."""

from runnerkit.actions.audit import AuditEntry, Trail
from runnerkit.files.audit import FILE
from runnerkit.fleet.run import Outcome
from runnerkit.report import outcome as of
from runnerkit.report.page import Page, once
from runnerkit.report.tables import table

DIGEST = 12  # digits of it that are shown


def audited(outcomes: list[Outcome[Trail]]) -> Page:
    """The exit code: 0, or 1 where a host failed."""
    found = [(one.host, entry) for one in outcomes if one.result for entry in one.result.entries]
    found.sort(key=lambda pair: pair[1].at)
    rows = [
        (
            entry.at,
            host,
            f"{entry.login} from {entry.address}" if entry.address else entry.login,
            entry.operator,
            entry.verb,
            entry.change if entry.code == 0 else f"{entry.change}: failed ({entry.code})",
            _settings(entry),
        )
        for host, entry in found
    ]
    heads = ("when (UTC)", "host", "login", "says it is", "verb", "change", "settings")
    notes = [
        ("note", one.host, text, "")
        for one in outcomes
        if one.result
        for text in _notes(one.result)
    ]
    data = of.hosts(
        outcomes,
        lambda one: "damaged" if one.result and (one.result.damaged or one.result.unread) else "ok",
        lambda one: {
            "entries": [_data(entry) for entry in one.result.entries] if one.result else [],
            "damaged": one.result.damaged if one.result else 0,
            "unread": list(one.result.unread) if one.result else [],
        },
    )
    return Page(table(heads, rows), data, once([*notes, *of.errors(outcomes)]), of.failed(outcomes))


def _settings(entry: AuditEntry) -> str:
    what = entry.commit[:DIGEST] or entry.digest.removeprefix("sha256:")[:DIGEST]
    return " ".join(filter(None, (entry.settings, what))) or "-"


def _notes(trail: Trail) -> list[str]:
    notes = [f"its audit trail cannot be read: {why}" for why in trail.unread]
    if trail.damaged:
        notes.append(f"lines of {FILE} that are damaged, and not shown: {trail.damaged}")
    if not (trail.entries or notes):
        notes.append("its audit trail has nothing to show")
    return notes


def _data(entry: AuditEntry) -> dict[str, object]:
    return {
        "at": entry.at,
        "login": entry.login,
        "from": entry.address or None,
        "code": entry.code,
        "verb": entry.verb,
        "change": entry.change,
        "claims": {
            "operator": entry.operator,
            "settings": entry.settings or None,
            "digest": entry.digest or None,
            "commit": entry.commit or None,
        },
    }
