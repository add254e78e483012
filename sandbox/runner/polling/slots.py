"""Who may ask for a job now: `concurrent`, `limit`, `request_concurrency`, and refusals."""

import threading
from collections import Counter

from .. import log
from ..table import Table

REFUSALS = 3  # in a row, and a runner is left alone: for an hour there, here until a reload


class Slots:
    """What runs and what is being asked for, by the runner's token."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy: Counter[str] = Counter()
        self._asking: Counter[str] = Counter()
        self._numbers: set[int] = set()
        self._refusals: Counter[str] = Counter()

    def take(self, runner: Table, concurrent: int) -> int | None:
        """The number of a slot for one request and for the job that may come of it."""
        token = runner.text("token")
        with self._lock:
            if (
                len(self._numbers) >= concurrent
                or self._busy[token] >= (runner.number("limit") or concurrent)
                or self._refusals[token] >= REFUSALS
                or self._asking[token] >= (runner.number("request_concurrency") or 1)
            ):
                return None
            self._busy[token] += 1
            self._asking[token] += 1
            number = next(n for n in range(concurrent) if n not in self._numbers)
            self._numbers.add(number)
            return number

    def answered(self, runner: Table, healthy: bool) -> None:
        token = runner.text("token")
        with self._lock:
            self._asking[token] -= 1
            self._refusals[token] = 0 if healthy else self._refusals[token] + 1
        if self._refusals[token] >= REFUSALS:
            name = f"{runner.text('url')}{log.short(token)}"
            log.error(f'Runner "{name}" is unhealthy and will be disabled for 3600 seconds!')

    def forgive(self) -> None:
        self._refusals.clear()

    def free(self, runner: Table, number: int) -> None:
        with self._lock:
            self._busy[runner.text("token")] -= 1
            self._numbers.discard(number)
