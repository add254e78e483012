"""What GitLab has and no host, listed; and what was taken off."""

from runnerkit.fleet.clearing.sweep import Agree, Listed, Swept, goes
from runnerkit.printable import counted
from runnerkit.report import outcome as of
from runnerkit.report.page import GITLAB, Page, once
from runnerkit.report.question import ask
from runnerkit.report.tables import table

LEFT = "only a runner's own token takes a manager off, and no host that answered has it"
UNKNOWN = "no runner is listed: which are those of {} is not known"
SETTLED = (
    "name all hosts (--host all); one that has no runner on it: ./inv bootstrap, or take it out of "
    "[hosts]"
)


def agreed(yes: bool) -> Agree:
    """Ask on the terminal, unless it was said already.

    Raises:
        KitError: there is no terminal, or the answer is another.
    """

    def agree(swept: Swept) -> None:
        if not yes:
            count = sum(map(goes, swept.ghosts))
            what = "this one" if count == 1 else f"these {count}"
            ask(_table(swept.ghosts), f"Take {what} off GitLab? Type yes: ", ("yes",))

    return agree


def shown(swept: Swept) -> Page:
    """The list; the exit code: 0, 1 a host failed or something could not be taken off, 2 a dry run
    found what would be."""
    data = {
        **of.hosts(swept.outcomes, lambda _: "ok", lambda _: {}),
        "ghosts": [_data(one) for one in swept.ghosts],
        "unknown": list(swept.unknown),
    }
    notes = [
        ("note", GITLAB, f"manager {one.ghost.manager.system_id} stays: {LEFT}", "")
        for one in swept.ghosts
        if one.ghost.manager and not one.ghost.token
    ]
    if swept.unknown:
        names = ", ".join(swept.unknown)
        notes.append(("note", GITLAB, UNKNOWN.format(names), SETTLED))
    failed = any(one.state.startswith("kept: GitLab") for one in swept.ghosts)
    lines = _table(swept.ghosts) or ["no ghosts"]
    messages = once([*notes, *of.errors(swept.outcomes)])
    pending = any(goes(one) and one.state == Listed.state for one in swept.ghosts)
    return Page(lines, data, messages, int(failed) or of.code(swept.outcomes, pending))


def _table(ghosts: tuple[Listed, ...]) -> list[str]:
    rows = []
    for one in ghosts:
        runner, manager = one.ghost.runner, one.ghost.manager
        what = f"manager {manager.system_id}" if manager else f"runner for {one.ghost.host}"
        status = manager.status if manager else runner.status
        age = "never" if one.days is None else f"{counted(one.days, 'day')} ago"
        rows.append((what, f"{runner.description} (#{runner.id})", status, age, one.state))
    return table(("what", "runner", "GitLab has it as", "last contact", "state"), rows)


def _data(one: Listed) -> dict[str, object]:
    runner, manager = one.ghost.runner, one.ghost.manager
    return {
        "kind": "manager" if manager else "runner",
        "id": runner.id,
        "name": runner.description,
        "system_id": manager.system_id if manager else None,
        "status": manager.status if manager else runner.status,
        "contacted_at": (manager.contacted_at if manager else runner.contacted_at) or None,
        "days": one.days,
        "state": one.state,
    }
