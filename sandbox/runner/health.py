"""Which runners may poll: three refusals in a row, and one is left alone for an hour."""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from . import log

LIMIT = 3
INTERVAL = 3600.0
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def seconds(duration: str) -> float:
    """A Go duration, 1h30m."""
    parts = re.findall(r"([\d.]+)(h|ms|m|s)", duration)
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


class Health:
    """Forgotten at every reload of the configuration."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._failures: dict[str, int] = {}
        self._checked: dict[str, float] = {}

    def may_poll(self, runner: Mapping[str, Any]) -> bool:
        key = self._key(runner)
        if self._failures.get(key, 0) < self._limit(runner):
            return True
        if self._now() - self._checked[key] > self._interval(runner):
            log.warning(f'Runner "{key}" is not healthy, but check for a new job will be forced!')
            self._failures[key] = 0
            return True
        return False

    def mark(self, runner: Mapping[str, Any], healthy: bool) -> None:
        key = self._key(runner)
        self._checked.setdefault(key, self._now())
        if healthy:
            self._failures[key] = 0
            self._checked[key] = self._now()
            return
        self._failures[key] = self._failures.get(key, 0) + 1
        if self._failures[key] >= self._limit(runner):
            log.error(
                f'Runner "{key}" is unhealthy and will be disabled for '
                f"{self._interval(runner):.0f} seconds!",
                unhealthy_requests=self._failures[key],
                unhealthy_requests_limit=self._limit(runner),
            )

    def _key(self, runner: Mapping[str, Any]) -> str:
        return f"{runner['url']}{log.short(runner['token'])}"

    def _limit(self, runner: Mapping[str, Any]) -> int:
        return int(runner.get("unhealthy_requests_limit") or LIMIT)

    def _interval(self, runner: Mapping[str, Any]) -> float:
        return seconds(runner.get("unhealthy_interval", "")) or INTERVAL
