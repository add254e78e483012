"""Who may ask for a job now: `concurrent`, `limit`, `request_concurrency`, numbers in use."""

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any


class Slots:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy: Counter[str] = Counter()
        self._asking: Counter[str] = Counter()
        self._numbers: set[int] = set()
        self._project_numbers: set[tuple[str, int, int]] = set()

    def take(self, runner: Mapping[str, Any], concurrent: int) -> bool:
        """A slot for one request and for the job that may come of it."""
        token = runner["token"]
        limit = int(runner.get("limit") or 0)
        requests = int(runner.get("request_concurrency") or 1)
        with self._lock:
            full = sum(self._busy.values()) >= concurrent
            if full or (limit and self._busy[token] >= limit) or self._asking[token] >= requests:
                return False
            self._busy[token] += 1
            self._asking[token] += 1
            return True

    def asked(self, runner: Mapping[str, Any]) -> None:
        with self._lock:
            self._asking[runner["token"]] -= 1

    def give_back(self, runner: Mapping[str, Any]) -> None:
        with self._lock:
            self._busy[runner["token"]] -= 1

    def number(self, runner: Mapping[str, Any], project: int) -> tuple[int, int]:
        """The lowest free CI_CONCURRENT_ID and CI_CONCURRENT_PROJECT_ID."""
        with self._lock:
            one = next(n for n in range(10**6) if n not in self._numbers)
            taken = self._project_numbers
            token = runner["token"]
            two = next(n for n in range(10**6) if (token, project, n) not in taken)
            self._numbers.add(one)
            taken.add((token, project, two))
            return one, two

    def free(self, runner: Mapping[str, Any], project: int, numbers: tuple[int, int]) -> None:
        with self._lock:
            self._numbers.discard(numbers[0])
            self._project_numbers.discard((runner["token"], project, numbers[1]))
