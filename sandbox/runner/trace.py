"""The job's log on its way to the server, and the server's word on its way back."""

import threading
import time
from collections.abc import Callable
from typing import Any

from .job_api import JobApi, Reply
from .trace_buffer import TraceBuffer

INTERVAL = 3.0
FORCE_SEND = 30.0
PATCH_SIZE = 1024 * 1024
FINAL_TRIES = 10


class Trace:
    """Sends what was written every few seconds; calls back when the job is to stop."""

    def __init__(
        self,
        api: JobApi,
        buffer: TraceBuffer,
        cancel: Callable[[], None],
        abort: Callable[[], None],
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api = api
        self.buffer = buffer
        self._cancel = cancel
        self._abort = abort
        self._pause = pause
        self._sent = 0
        self._sent_at = time.monotonic()
        self._interval = INTERVAL
        self._finished = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _watch(self) -> None:
        while not self._finished.wait(self._interval):
            if not self.send():
                return

    def send(self) -> bool:
        """One round: new bytes, or a sign of life; False once the job is over for the server."""
        reply = self._patch()
        if reply.state == "ok" and time.monotonic() - self._sent_at > FORCE_SEND:
            reply = self._learn(self._api.update("running", self.buffer.output()))
            if reply.state == "ok":
                self._sent_at = time.monotonic()
        if reply.canceling:
            self._cancel()
        if reply.state == "abort":
            self._abort()
            return False
        return True

    def _patch(self) -> Reply:
        content = self.buffer.read(self._sent, PATCH_SIZE)
        if not content:
            return Reply("ok", self._sent)
        reply = self._learn(self._api.patch(content, self._sent))
        if reply.state in {"ok", "mismatch"}:
            self._sent = reply.offset
            self._sent_at = time.monotonic()
        return reply

    def _learn(self, reply: Reply) -> Reply:
        self._interval = reply.interval or self._interval
        return reply

    def finish(self, state: str, reason: str = "", exit_code: int = 0) -> bool:
        """Everything sent and the verdict delivered; False when the server would not have it."""
        self._finished.set()
        if self._thread.is_alive():
            self._thread.join()
        self._interval = INTERVAL
        more = {"failure_reason": reason, "exit_code": exit_code}
        wait = 1.0
        for _ in range(FINAL_TRIES):
            if self._deliver(state, more):
                return True
            self._pause(wait)
            wait = min(wait * 1.5, 60)
        return False

    def _deliver(self, state: str, more: dict[str, Any]) -> bool:
        while True:
            while self._sent != len(self.buffer):
                reply = self._patch()
                if reply.state in {"abort", "missing"}:
                    break
                if reply.state == "failed":
                    return False
                if reply.state == "mismatch":
                    self._pause(self._interval)
            reply = self._learn(self._api.update(state, self.buffer.output(), **more))
            if reply.state in {"ok", "abort"}:
                return True
            if reply.state == "failed":
                return False
            if reply.state == "mismatch":
                self._sent = 0
            self._pause(self._interval)
