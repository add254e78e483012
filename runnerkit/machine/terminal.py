"""The one terminal: whoever asks a question on it stops the live display first."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Live(Protocol):
    def start(self) -> None: ...
    def stop(self) -> None: ...


displays: list[Live] = []


@contextmanager
def quiet() -> Iterator[None]:
    """No live display while a question is asked."""
    for display in displays:
        display.stop()
    try:
        yield
    finally:
        for display in displays:
            display.start()
