"""What people and programs read: progress on stderr, a table or JSON on stdout."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any

from runnerkit import terminal
from runnerkit.fleet import Outcome, Say

EVERY = 3.0  # s


@contextmanager
def progress() -> Iterator[Say]:
    """A live line a host on a terminal; plain lines, one a change, elsewhere."""
    if not sys.stderr.isatty():
        yield _plain()
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.fields[host]}", style="bold"),
               TextColumn("{task.description}", markup=False), TimeElapsedColumn())  # fmt: skip
    with Progress(*columns, console=console, transient=True) as bar:
        tasks: dict[str, Any] = {}
        terminal.displays.append(bar)

        def say(host: str, text: str) -> None:
            if host not in tasks:
                tasks[host] = bar.add_task("", total=None, host=host)
            if text.startswith("["):
                console.print(f"{host}  {text}", markup=False, highlight=False, soft_wrap=True)
            bar.update(tasks[host], description=text[: max(20, console.width - 30)])

        try:
            yield say
        finally:
            terminal.displays.remove(bar)


def bootstrapped(outcomes: list[Outcome], as_json: bool) -> int:
    """Show what was done; the exit code: 0 all done, 1 a host failed."""
    if as_json:
        data(outcomes)
    else:
        rows = [
            (
                o.host,
                _state(o),
                str(len(o.changes)),
                ", ".join(o.runners) or "-",
                f"{o.seconds:.1f} s",
            )
            for o in outcomes
        ]
        table(("host", "state", "changes", "runners accepted", "time"), rows)
        errors(outcomes)
    return int(any(o.error for o in outcomes))


def planned(outcomes: list[Outcome], as_json: bool) -> int:
    """Show what would be done; the exit code: 0 nothing, 1 a host failed, 2 changes pending."""
    if as_json:
        data(outcomes)
    else:
        for outcome in outcomes:
            if not outcome.error:
                count = len(outcome.changes)
                print(f"{outcome.host}: {f'{count} to change' if count else 'nothing to change'}")
            for change in outcome.changes:
                print(f"  - {change.title}")
                for line in change.diff.splitlines():
                    print(f"      {line}")
        errors(outcomes)
    if any(o.error for o in outcomes):
        return 1
    return 2 if any(o.changes for o in outcomes) else 0


def _state(outcome: Outcome) -> str:
    if outcome.error:
        return "failed"
    return "changed" if outcome.changes else "ok"


def errors(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        for note in outcome.notes:
            print(f"note: {outcome.host}: {note}", file=sys.stderr)
        if outcome.error:
            print(f"error: {outcome.host}: {outcome.error}", file=sys.stderr)
            print(f"  fix: {outcome.fix}", file=sys.stderr)


def data(outcomes: list[Outcome]) -> None:
    said = [
        {
            "host": o.host,
            "state": _state(o),
            "changes": [{"title": c.title, "diff": c.diff} for c in o.changes],
            "runners": o.runners,
            "images": o.images,
            "pruned": o.pruned,
            "notes": o.notes,
            "error": o.error or None,
            "fix": o.fix or None,
            "seconds": round(o.seconds, 2),
            "execs": o.execs,
        }
        for o in outcomes
    ]
    print(json.dumps(said, indent=2))


def _plain() -> Say:
    """Every change, and what it says at most every few seconds a host."""
    last: dict[str, float] = {}

    def say(host: str, text: str) -> None:
        now = monotonic()
        if not text.startswith(" ") or now - last.get(host, 0) > EVERY:
            sys.stderr.write(f"{host}  {text}\n")  # whole: other hosts print at the same time
            sys.stderr.flush()
            last[host] = now

    return say


def table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """By hand: importing a library for it took longer than looking at a host."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
