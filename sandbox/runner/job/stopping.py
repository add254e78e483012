"""Why a job must end early: another thread's word, at any time."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .failure import JobError


class Stopping:
    """Whoever stops it first gives the reason; what runs at that moment is ended."""

    def __init__(self, timeout: float) -> None:
        self.error: JobError | None = None
        self._end: Callable[[], None] | None = None
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        text = f"execution took longer than {duration(timeout)} seconds"
        late = JobError(text, "job_execution_timeout")
        self._timer = threading.Timer(timeout, self.stop, [late])
        self._timer.daemon = True

    def stop(self, error: JobError) -> None:
        with self._lock:
            self.error = self.error or error
            end, self._end = self._end, None
        self._stopped.set()
        if end:
            end()

    @contextmanager
    def clock(self) -> Iterator[None]:
        """The job's time runs."""
        self._timer.start()
        try:
            yield
        finally:
            self._timer.cancel()

    @contextmanager
    def ending(self, end: Callable[[], None]) -> Iterator[None]:
        """Something runs that `end` ends; raises the reason if that, or an earlier stop, came."""
        with self._lock:
            if self.error:
                raise self.error
            self._end = end
        try:
            yield
        finally:
            with self._lock:
                self._end = None
            if self.error:
                raise self.error

    def wait(self, seconds: float) -> None:
        """A pause that a stop cuts short, with its reason."""
        self._stopped.wait(seconds)
        if self.error:
            raise self.error


def duration(seconds: float) -> str:
    """As Go prints one: 1h0m0s, 10m0s, 3s."""
    hours, rest = divmod(int(seconds), 3600)
    minutes, left = divmod(rest, 60)
    text = f"{hours}h" if hours else ""
    text += f"{minutes}m" if hours or minutes else ""
    return f"{text}{left}s"
