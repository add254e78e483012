"""What goes on, on stderr: a live line a host on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from runnerkit.events import Began, Detail, Ended, Event, Listener, Phase, Progress
from runnerkit.machine import terminal
from runnerkit.printable import in_one_line
from runnerkit.report.page import note

if TYPE_CHECKING:
    from rich.progress import TaskID

EVERY = 3.0  # s


@contextmanager
def progress() -> Iterator[Listener]:
    """The listener that shows what goes on, as long as it does."""
    if not sys.stderr.isatty():
        yield _plain()
        return
    from rich import progress as bars
    from rich.console import Console

    console = Console(stderr=True)
    columns = (
        bars.SpinnerColumn(),
        bars.TextColumn("{task.fields[host]}", style="bold", markup=False),
        bars.TextColumn("{task.description}", markup=False),
        bars.TimeElapsedColumn(),
    )
    with bars.Progress(*columns, console=console, transient=True) as live:
        tasks: dict[str, TaskID] = {}
        terminal.displays.append(live)

        def show(host: str, event: Event) -> None:
            if not (text := in_one_line(line(event))):
                return
            if host not in tasks:
                tasks[host] = live.add_task("", total=None, host=host)
            if isinstance(event, Began) or lasts(event):
                console.print(f"{host}  {text}", markup=False, highlight=False, soft_wrap=True)
            live.update(tasks[host], description=text[: max(20, console.width - 30)])

        try:
            yield show
        finally:
            terminal.displays.remove(live)


def lasts(event: Event) -> bool:
    """Whether it is shown however much goes on."""
    return isinstance(event, Detail) and event.lasting


def line(event: Event) -> str:
    """An event as a line; "" where it is none to show."""
    match event:
        case Phase(text):
            return text
        case Began(title, number, total):
            return f"[{number}/{total}] {title}"
        case Detail(text):
            return f"  {text}"
        case Progress(done, total, name):
            of = f" of {total / 1e6:.0f}" if total else ""
            return f"  {f'{name}: ' if name else ''}{done / 1e6:.0f}{of} MB"
        case Ended():
            return ""


def _plain() -> Listener:
    """Every change, and what goes on in it at most every few seconds a host."""
    last: dict[str, float] = {}

    def show(host: str, event: Event) -> None:
        now = monotonic()
        frequent = isinstance(event, Detail | Progress) and not lasts(event)
        if not (text := in_one_line(line(event))) or (
            frequent and now - last.get(host, 0) <= EVERY
        ):
            return
        note(f"{host}  {text}")
        last[host] = now

    return show
