"""Tokens of runners that gave way to new ones, or would."""

from dataclasses import asdict

from runnerkit.fleet.run import Outcome
from runnerkit.fleet.tokens.new_tokens import Rotated
from runnerkit.fleet.tokens.rotate import Rotation
from runnerkit.report import outcome as of
from runnerkit.report.page import Page, once
from runnerkit.report.tables import table

VERIFIED = {True: "yes", False: "no", None: "the manager does not run"}


def rotated(rotation: Rotation, dry: bool) -> Page:
    """What was done, or would be; the exit code: 0, 1 a host failed, 2 a dry run has changes."""
    rows = [
        (
            one.host,
            "failed" if one.error else _state(one, dry),
            name,
            what,
            "-" if dry or one.error else VERIFIED[one.result.verified],
            f"{one.seconds:.1f} s",
        )
        for one in rotation.outcomes
        if one.result
        for name, what in one.result.tokens.items()
    ]
    heads = ("host", "state", "runner", "token", "accepted", "time")
    data = of.hosts(
        rotation.outcomes,
        lambda one: _state(one, dry),
        lambda one: {
            "changes": of.changes(one.changes),
            **asdict(one.result or Rotated()),
        },
    )
    messages = once([*of.errors(rotation.outcomes), *(("note", *one) for one in rotation.left)])
    left = [{"where": where, "what": what, "fix": fix} for where, what, fix in rotation.left]
    pending = dry and any(one.result and one.result.tokens for one in rotation.outcomes)
    code = of.code(rotation.outcomes, pending)
    return Page(table(heads, rows), {**data, "left": left}, messages, code)


def _state(one: Outcome[Rotated], dry: bool) -> str:
    if dry:
        return "pending" if one.result and one.result.tokens else "ok"
    return of.changed(one)
