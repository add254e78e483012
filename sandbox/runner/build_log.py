"""What a job prints: timestamps, sections, masked secrets, the real program's colours."""

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from . import log

MASK = b"[MASKED]"
_TOKENS = re.compile(rb"\b(glpat-|glrt-|gldt-|glptt-|glcbt-)[A-Za-z0-9_.-]{8,}")
_MAX_LINE = 8 * 1024


def clock() -> datetime:
    return datetime.now(UTC)


class Stream:
    """One of the log's streams; writes whole lines to the trace, long ones in pieces."""

    def __init__(
        self,
        write: Callable[[bytes], None],
        mark: str,
        timestamps: bool,
        secrets: Sequence[bytes],
        now: Callable[[], datetime] = clock,
    ) -> None:
        self._write = write
        self._mark = mark
        self._timestamps = timestamps
        self._secrets = secrets
        self._now = now
        self._rest = b""
        self._partial = False

    def write(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._line(line, whole=True)
        if len(self._rest) > _MAX_LINE:
            self._line(self._rest, whole=False)
            self._rest = b""

    def flush(self) -> None:
        if self._rest:
            self._line(self._rest, whole=True)
            self._rest = b""

    def _line(self, line: bytes, whole: bool) -> None:
        for secret in self._secrets:
            line = line.replace(secret, MASK)
        line = _TOKENS.sub(rb"\1" + MASK, line)
        if self._timestamps:
            stamp = self._now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            flag = "+" if self._partial else " "
            line = f"{stamp} {self._mark}{flag}".encode() + line
        self._partial = not whole
        self._write(line + (b"\n" if whole or self._timestamps else b""))


class BuildLog:
    """The job's log as the runner itself writes to it; the process log hears of it too."""

    def __init__(
        self,
        write: Callable[[bytes], None],
        timestamps: bool,
        secrets: Sequence[str] = (),
        sections: bool = True,
        fields: dict[str, object] | None = None,
    ) -> None:
        found = {secret.encode() for secret in secrets if secret}
        self._secrets = sorted(found, key=len, reverse=True)
        self._lock = threading.Lock()
        self._target = write
        self._timestamps = timestamps
        self._sections = sections
        self._fields = fields or {}
        self._own = self.stream("00O")

    def stream(self, mark: str) -> Stream:
        return Stream(self._locked, mark, self._timestamps, self._secrets)

    def _locked(self, data: bytes) -> None:
        with self._lock:
            self._target(data)

    def line(self, text: str) -> None:
        self._own.write(f"{log.CLEAR}{text}{log.RESET}\n".encode())
        log.debug(text, **self._fields)

    def info(self, text: str, **fields: object) -> None:
        self._own.write(f"{log.BOLD_GREEN}{text}{log.RESET}\n".encode())
        log.info(text, **self._fields, **fields)

    def warning(self, text: str) -> None:
        self._own.write(f"{log.YELLOW}WARNING: {text}{log.RESET}\n".encode())
        log.warning(text, **self._fields)

    def soft_error(self, text: str, **fields: object) -> None:
        """An error of the job, which is only a warning of the runner."""
        self._own.write(f"{log.BOLD_RED}ERROR: {text}{log.RESET}\n".encode())
        log.warning(text.rstrip("\n"), **self._fields, **fields)

    def error(self, text: str, **fields: object) -> None:
        self._own.write(f"{log.BOLD_RED}ERROR: {text}{log.RESET}\n".encode())
        log.error(text, **self._fields, **fields)

    @contextmanager
    def section(self, name: str, title: str) -> Iterator[None]:
        if self._sections:
            self._own.write(f"section_start:{int(time.time())}:{name}\r{log.CLEAR}".encode())
        self.line(f"{log.BOLD_CYAN}{title}{log.RESET}")
        try:
            yield
        finally:
            if self._sections:
                self._own.write(f"section_end:{int(time.time())}:{name}\r{log.CLEAR}".encode())
