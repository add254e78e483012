"""Runners that were paused and resumed, and which hosts that is about."""

from dataclasses import asdict

from runnerkit.fleet.changes.pause import PausedRunner, Pauses
from runnerkit.report import outcome as of
from runnerkit.report.page import Page, once
from runnerkit.report.tables import table


def paused(pauses: Pauses, dry: bool) -> Page:
    """The exit code: 0, 1 where a host failed, 2 where a dry run has changes."""
    return _page(pauses, dry, [("note", one.key, _stops(one, dry), "") for one in pauses.runners])


def resumed(pauses: Pauses, dry: bool) -> Page:
    """The exit code: 0, 1 where a host failed, 2 where a dry run has changes."""
    idle = [one for one in pauses.runners if not one.change]
    return _page(pauses, dry, [("note", one.key, "was not paused", "") for one in idle])


def _page(pauses: Pauses, dry: bool, notes: list[tuple[str, str, str, str]]) -> Page:
    rows = [
        (
            one.key,
            f"#{one.id}",
            (f"to {one.change}" if dry and one.change else DONE[one.change]),
            (one.pause.until if one.pause else "") or "-",
            ", ".join(one.hosts),
            one.keeper or "-",
        )
        for one in pauses.runners
    ]
    heads = ("runner", "number", "state", "until", "hosts", "ended by")
    data = of.hosts(
        pauses.outcomes, lambda one: "ok", lambda one: {"changes": of.changes(one.changes)}
    )
    data["runners"] = [asdict(one) for one in pauses.runners]
    messages = once([*notes, *of.errors(pauses.outcomes)])
    pending = dry and any(one.change for one in pauses.runners)
    return Page(table(heads, rows), data, messages, of.code(pauses.outcomes, pending))


DONE = {"pause": "paused", "change the pause": "paused", "resume": "resumed", "": "ok"}


def _stops(one: PausedRunner, dry: bool) -> str:
    """A pause is the whole runner's: all that it stops."""
    takes = "would take" if dry else "takes"
    also = (
        f", and on managers that are on none of these: {', '.join(one.others)}"
        if one.others
        else ""
    )
    return f"{takes} no jobs on any of its hosts: {', '.join(one.hosts)}{also}; jobs that run go on"
