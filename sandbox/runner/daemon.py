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

from . import config, log, reset_token, systemid
from .debug_server import DebugServer
from .flags import Flag
from .keys import NEVER
from .pool import Pool
from .selection import given_by

RELOAD_SECONDS = 1.0
COMPLAIN_SECONDS = 3.0
_NAMES: dict[int, str] = {
    signal.SIGQUIT: "quit",
    signal.SIGTERM: "terminated",
    signal.SIGINT: "interrupt",
    signal.SIGHUP: "hangup",
}
_OPTIONS = [
    Flag(("user",), ("u", "user")),
    Flag(("working_directory",), ("d", "working-directory")),
    Flag(("service",), ("n", "service")),
    Flag(("syslog",), ("syslog",), "LOG_SYSLOG", "bool"),
    Flag(("listen",), ("listen-address",), "LISTEN_ADDRESS"),
]


class Daemon:
    def __init__(self, path: Path, listen: str) -> None:
        self._path = path
        self._listen = listen
        self._complained = 0.0
        self._signals: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in _NAMES:
            signal.signal(number, lambda number, _: self._signals.put(number))

    def run(self) -> None:
        log.info(f"Starting multi-runner from {self._path}...", builds=0, max_builds=0)
        log.user_mode_warning()
        try:
            self._config = config.load(self._path)
            self._system_id = systemid.load(self._path)
        except (config.BadConfig, OSError) as error:
            log.fatal("Service run failed", error=error)
        self._seen = self._config.modified
        self._apply()
        self._pool = Pool(self._config, self._system_id)
        self._debug = DebugServer(self._pool)
        self._debug.start(self._listen or self._config.data.get("listen_address", ""))
        self._say("Initializing executor providers")
        self._pool.start()
        number = self._work()
        self._say(f"[runWait] received stop signal: {_NAMES[number]}", "warning")
        self._pool.stop()
        self._finish(number)

    def _apply(self) -> None:
        if self._config.concurrent < 1:
            log.fatal("Concurrent is less than 1 - no jobs will be processed")
        if not os.environ.get("LOG_LEVEL"):
            log.configure(self._config.data.get("log_level", "info"))
        log.info("Configuration loaded", builds=0, max_builds=self._config.concurrent)

    def _work(self) -> int:
        """Until a signal to stop; a later modification time, or SIGHUP, reloads."""
        while True:
            try:
                number = self._signals.get(timeout=RELOAD_SECONDS)
            except queue.Empty:
                self._reload_if_newer()
                self._rotate()
                continue
            if number != signal.SIGHUP:
                return number
            self._reload()

    def _reload_if_newer(self) -> None:
        try:
            modified = self._path.stat().st_mtime
        except OSError as error:
            if time.monotonic() - self._complained > COMPLAIN_SECONDS:
                self._complained = time.monotonic()
                why = (error.strerror or str(error)).lower()
                self._say(f"Failed to load config stat {self._path}: {why}", "error")
            return
        if modified > self._seen:
            self._seen = modified
            self._reload()

    def _reload(self) -> None:
        try:
            self._config = config.load(self._path)
        except (config.BadConfig, OSError) as error:
            log.error(f"Failed to load config {error}", **self._pool.fields())
            return
        self._seen = max(self._seen, self._config.modified)
        self._apply()
        self._pool.reconfigure(self._config)

    def _rotate(self) -> None:
        """New tokens at three quarters of their life."""
        now = datetime.now(UTC)
        for runner in self._config.runners:
            expires = runner.get("token_expires_at", NEVER)
            obtained = runner.get("token_obtained_at", NEVER)
            off = runner.get("feature_flags", {}).get("FF_DISABLE_AUTOMATIC_TOKEN_ROTATION")
            if expires == NEVER or off or now < obtained + (expires - obtained) * 0.75:
                continue
            if reset_token.rotate(runner, self._path):
                self._config.save()
                self._seen = self._path.stat().st_mtime
                self._pool.reconfigure(self._config)
            else:
                runner["token_obtained_at"] = now - (expires - now) + timedelta(seconds=60)

    def _finish(self, number: int) -> NoReturn:
        """SIGQUIT waits without limit; anything else aborts the jobs and waits a while."""
        while number == signal.SIGQUIT:
            self._debug.state = "graceful-shutdown"
            self._say("Starting graceful shutdown, waiting for builds to finish", "warning")
            found = self._wait(None)
            if found is None:
                self._leave(0)
            self._say("[handleGracefulShutdown] received stop signal", "warning")
            number = found
        self._debug.state = "forceful-shutdown"
        name = _NAMES[number]
        self._say(
            f"Graceful shutdown not finished properly: received stop signal: {name}", "warning"
        )
        self._say("Starting forceful shutdown", "warning")
        self._pool.abort(name)
        found = self._wait(self._config.shutdown_timeout)
        if found is None and self._pool.idle():
            self._leave(0)
        reason = "shutdown timed out" if found is None else f"forced exit: {_NAMES[found]}"
        self._say(f"Forceful shutdown not finished properly: {reason}", "warning")
        log.configure()
        self._say(f"Service run failed: {reason}", "error")
        self._leave(1)

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

    def _say(self, message: str, level: str = "info") -> None:
        say = {"info": log.info, "warning": log.warning, "error": log.error}[level]
        say(message, **self._pool.fields())

    def _leave(self, code: int) -> NoReturn:
        if code == 0:
            self._say("All workers stopped.")
            self._say("Can exit now!")
        sys.stderr.flush()
        # Threads that hang in a call to the daemon must not keep the process.
        os._exit(code)


def run(arguments: Sequence[str]) -> None:
    given = given_by(_OPTIONS, arguments)
    if directory := given.get("working_directory"):
        try:
            os.chdir(directory)
        except OSError as error:
            log.fatal("Service run failed", error=error)
    Daemon(given["path"], given.get("listen", "")).run()
