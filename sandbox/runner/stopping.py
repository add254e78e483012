"""Why a job must stop early, set by other threads and looked at by the job's own."""

import threading
import time

from .errors import JobError


class Stopping:
    """Cancelling ends the script and lets after_script run; aborting ends everything."""

    def __init__(self, timeout: float) -> None:
        self.deadline = time.monotonic() + timeout
        self._timeout = timeout
        self._cancelled = threading.Event()
        self._aborted = threading.Event()
        self._signal = ""

    def cancel(self) -> None:
        self._cancelled.set()

    def abort(self, signal: str = "") -> None:
        self._signal = signal
        self._aborted.set()

    def error(self, after_script: bool = False) -> JobError | None:
        """What the job fails with, or None while it may go on."""
        if self._aborted.is_set():
            if self._signal:
                return JobError(f"aborted: {self._signal}", "runner_interrupted")
            return JobError("canceled", "job_canceled")
        if time.monotonic() > self.deadline:
            return JobError(
                f"execution took longer than {duration(self._timeout)} seconds",
                "job_execution_timeout",
            )
        if self._cancelled.is_set() and not after_script:
            return JobError("canceled", "job_canceled")
        return None

    def fatal(self) -> bool:
        """Nothing more may run, after_script included."""
        return self._aborted.is_set() or time.monotonic() > self.deadline

    def wait(self, seconds: float) -> None:
        self._aborted.wait(seconds)


def duration(seconds: float) -> str:
    """As Go prints one: 1h0m0s, 10m0s, 3s."""
    hours, rest = divmod(int(seconds), 3600)
    minutes, left = divmod(rest, 60)
    text = f"{hours}h" if hours else ""
    text += f"{minutes}m" if hours or minutes else ""
    return f"{text}{left}s"
