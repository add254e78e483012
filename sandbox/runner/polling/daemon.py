"""`gitlab-runner run`: signals, reloading, token rotation, and an orderly end."""

import os
import queue
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

from .. import log
from ..commands import flags
from ..commands.flags import Flag
from ..config import file, system_id
from ..config.keys import NEVER
from ..server.runner_api import RunnerApi
from ..table import Table
from .debug_server import DebugServer
from .pool import Pool

RELOAD_SECONDS = 1.0
_NAMES: dict[int, str] = {
    signal.SIGQUIT: "quit",
    signal.SIGTERM: "terminated",
    signal.SIGINT: "interrupt",
    signal.SIGHUP: "hangup",
}
_OPTIONS = [
    Flag(("user",), ("u", "user")),
    Flag(("directory",), ("d", "working-directory")),
    Flag(("service",), ("n", "service")),
    Flag(("listen",), ("listen-address",), "LISTEN_ADDRESS"),
]


class Daemon:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._signals: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in _NAMES:
            signal.signal(number, lambda number, _: self._signals.put(number))

    def run(self, listen: str) -> NoReturn:
        log.info(f"Starting multi-runner from {self._path}...")
        log.mode()
        try:
            self._config = file.load(self._path)
            identity = system_id.load(self._path)
        except (file.BadConfig, OSError) as error:
            log.fatal("Service run failed", error=error)
        self._seen = self._config.modified
        self._apply()
        self._pool = Pool(self._config, identity)
        self._debug = DebugServer(self._pool)
        self._debug.start(listen or self._config.data.text("listen_address"))
        log.info("Initializing executor providers")
        self._pool.start()
        number = self._work()
        log.warning(f"[runWait] received stop signal: {_NAMES[number]}")
        self._pool.stop()
        self._finish(number)

    def _apply(self) -> None:
        concurrent = self._config.data.number("concurrent")
        if concurrent < 1:
            log.fatal("Concurrent is less than 1 - no jobs will be processed")
        log.info("Configuration loaded", max_builds=concurrent)

    def _work(self) -> int:
        """Until a signal to stop; a later modification time, or SIGHUP, reloads."""
        while True:
            try:
                number = self._signals.get(timeout=RELOAD_SECONDS)
            except queue.Empty:
                if self._modified() > self._seen:
                    self._reload()
                self._rotate()
                continue
            if number != signal.SIGHUP:
                return number
            self._reload()

    def _modified(self) -> float:
        return self._path.stat().st_mtime if self._path.exists() else 0.0

    def _reload(self) -> None:
        self._seen = max(self._seen, self._modified())
        try:
            self._config = file.load(self._path)
        except (file.BadConfig, OSError) as error:
            log.error(f"Failed to load config {error}")
            return
        self._apply()
        self._pool.reconfigure(self._config)

    def _rotate(self) -> None:
        """New tokens at three quarters of their life."""
        now = datetime.now(UTC)
        for runner in self._config.runners:
            if not due(runner, now):
                continue
            if RunnerApi(runner, self._path).reset_token():
                self._config.save()
                self._seen = self._modified()
                self._pool.reconfigure(self._config)
            else:  # in a minute again
                expires = runner["token_expires_at"]
                assert isinstance(expires, datetime)
                runner["token_obtained_at"] = now - 3 * (expires - now) + timedelta(seconds=60)

    def _finish(self, number: int) -> NoReturn:
        """SIGQUIT waits without limit; anything else aborts the jobs and waits a while."""
        again: int | None = number
        if number == signal.SIGQUIT:
            self._debug.state = "graceful-shutdown"
            log.warning("Starting graceful shutdown, waiting for builds to finish")
            while again == signal.SIGQUIT:
                again = self._wait(None)
        if again is not None:
            self._debug.state = "forceful-shutdown"
            log.warning("Starting forceful shutdown")
            self._pool.abort(_NAMES[again])
            self._wait(self._config.shutdown_timeout)
        if self._pool.idle():
            log.info("All workers stopped.")
            log.info("Can exit now!")
        else:
            log.error("Service run failed: shutdown timed out")
        sys.stderr.flush()
        # Threads that hang in a call to the daemon must not keep the process.
        os._exit(0 if self._pool.idle() else 1)

    def _wait(self, limit: float | None) -> int | None:
        """The next signal to stop, or None when all jobs ended or the time is up."""
        until = time.monotonic() + limit if limit is not None else None
        while not self._pool.idle() and (until is None or time.monotonic() < until):
            try:
                number = self._signals.get(timeout=0.1)
            except queue.Empty:
                continue
            if number != signal.SIGHUP:
                return number
        return None


def due(runner: Table, now: datetime) -> bool:
    """Whether three quarters of its token's life are over."""
    expires, obtained = runner.get("token_expires_at"), runner.get("token_obtained_at")
    if runner.table("feature_flags").flag("FF_DISABLE_AUTOMATIC_TOKEN_ROTATION"):
        return False
    if not isinstance(expires, datetime) or not isinstance(obtained, datetime) or expires == NEVER:
        return False
    return now >= obtained + (expires - obtained) * 0.75


def run(arguments: Sequence[str]) -> None:
    given = flags.options(_OPTIONS, arguments)
    if directory := given.text("directory"):
        try:
            os.chdir(directory)
        except OSError as error:
            log.fatal("Service run failed", error=error)
    Daemon(Path(given.text("config_file"))).run(given.text("listen"))
