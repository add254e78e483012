"""A job's log on its way to the server, and the verdict once all of it is there."""

import threading
import time
import zlib
from collections.abc import Callable

from .http_client import Answer
from .job_api import JobApi, over

INTERVAL = 3.0
PIECE = 1024 * 1024
TRIES = 10


class Trace:
    """Sends what was written every few seconds; calls back when the server ends the job."""

    def __init__(
        self,
        api: JobApi,
        abort: Callable[[], None],
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api, self._abort, self._pause = api, abort, pause
        self._log = bytearray()
        self._lock = threading.Lock()
        self._sent = 0
        self._interval = INTERVAL
        self._finished = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def write(self, data: bytes) -> None:
        with self._lock:
            self._log += data

    def start(self) -> None:
        self._thread.start()

    def _watch(self) -> None:
        while not self._finished.wait(self._interval):
            if not self.send():
                return

    def send(self) -> bool:
        """One round; False once the job is over for the server."""
        answer = self._patch()
        if answer and over(answer):
            self._abort()
            return False
        return True

    def _patch(self) -> Answer | None:
        """Send a piece of what is new, from where the server is; None where there is none."""
        with self._lock:
            content = bytes(self._log[self._sent : self._sent + PIECE])
        if not content:
            return None
        answer = self._api.patch(content, self._sent)
        if answer.status == 202:
            self._sent += len(content)
        elif answer.status == 416:
            end = answer.headers.get("Range", "").partition("-")[2]
            self._sent = int(end) if end.isdigit() else 0
        wanted = answer.headers.get("X-GitLab-Trace-Update-Interval", "")
        self._interval = float(wanted) if wanted.isdigit() else self._interval
        return answer

    def finish(self, state: str, reason: str = "", exit_code: int = 0) -> bool:
        """Everything sent and the verdict delivered; False when the server would not have it."""
        self._finished.set()
        if self._thread.is_alive():
            self._thread.join()
        for _ in range(TRIES):
            while (answer := self._patch()) and answer.status in {202, 416}:
                pass
            answer = self._api.update(
                state, self._sum(), failure_reason=reason, exit_code=exit_code
            )
            if answer.status == 200 or over(answer):
                return True
            if answer.status == 412:
                self._sent = 0
            self._pause(self._interval)
        return False

    def _sum(self) -> dict[str, object]:
        """What the whole log adds up to, so that the server can compare."""
        with self._lock:
            checksum = f"crc32:{zlib.crc32(self._log):08x}"
            return {"checksum": checksum, "bytesize": len(self._log)}
