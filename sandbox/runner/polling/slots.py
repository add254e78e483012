"""Who may ask for a job now: `concurrent` of all, `limit` and `request_concurrency` of each."""

import threading
from collections import Counter

from ..table import Table


class Slots:
    """What runs and what is being asked for, by the runner's token."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy: Counter[str] = Counter()
        self._asking: Counter[str] = Counter()
        self._numbers: set[int] = set()

    def take(self, runner: Table, concurrent: int) -> int | None:
        """The number of a slot for one request and for the job that may come of it."""
        token = runner.text("token")
        with self._lock:
            if (
                len(self._numbers) >= concurrent
                or self._busy[token] >= (runner.number("limit") or concurrent)
                or self._asking[token] >= (runner.number("request_concurrency") or 1)
            ):
                return None
            self._busy[token] += 1
            self._asking[token] += 1
            number = next(n for n in range(concurrent) if n not in self._numbers)
            self._numbers.add(number)
            return number

    def answered(self, runner: Table) -> None:
        with self._lock:
            self._asking[runner.text("token")] -= 1

    def free(self, runner: Table, number: int) -> None:
        with self._lock:
            self._busy[runner.text("token")] -= 1
            self._numbers.discard(number)
