"""What made room, or would."""

from dataclasses import asdict

from runnerkit.actions.prune import Pruned
from runnerkit.fleet.run import Outcome
from runnerkit.report import outcome as of
from runnerkit.report.page import Page, once, size
from runnerkit.report.tables import table


def pruned(outcomes: list[Outcome[Pruned]]) -> Page:
    """What went, or would go, and what that freed; the exit code: 0, 1 a host failed, 2 a dry run
    has changes."""
    lines, rows, notes = [], [], []
    for one in outcomes:
        if not (found := one.result):
            continue
        for verb, items in (("removed", found.removed), ("would remove", found.pending)):
            lines += [
                f"{one.host}  {verb} {item.kind} {item.name}  {size(item.bytes)}" for item in items
            ]
        notes += [("note", one.host, note, "") for note in found.notes]
        disk = f"{found.before}% → {found.after}%"
        rows.append((one.host, str(len(found.removed)), size(found.freed), disk))
    lines += table(("host", "removed", "freed", "disk in use"), rows)
    pending = any(one.result and one.result.pending for one in outcomes)
    data = of.hosts(
        outcomes,
        lambda one: "changed" if one.result and one.result.removed else "ok",
        lambda one: {"pruned": asdict(one.result) if one.result else None},
    )
    return Page(lines, data, once([*notes, *of.errors(outcomes)]), of.code(outcomes, pending))
