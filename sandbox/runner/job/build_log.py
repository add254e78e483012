"""What a job's log shows: sections, the real program's colours, no secrets."""

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from .. import log

MASK = b"[MASKED]"
_TOKENS = re.compile(rb"\b(glpat-|glrt-|gldt-|glptt-|glcbt-)[A-Za-z0-9_.-]{8,}")
_LONGEST = 8 * 1024  # bytes of a line that are held back until its end comes


class BuildLog:
    """Takes whole lines to the trace; the process log hears of the runner's own too."""

    def __init__(
        self,
        write: Callable[[bytes], None],
        secrets: Sequence[str] = (),
        fields: dict[str, object] | None = None,
    ) -> None:
        found = {secret.encode() for secret in secrets if secret}
        self._secrets = sorted(found, key=len, reverse=True)
        self._write = write
        self._fields = fields or {}
        self._rest = b""
        self._lock = threading.Lock()

    def output(self, data: bytes) -> None:
        """What a container printed."""
        with self._lock:
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                self._write(self._masked(line) + b"\n")
            if len(self._rest) > _LONGEST:
                self._write(self._masked(self._rest))
                self._rest = b""

    def flush(self) -> None:
        """End a line that no newline ended."""
        if self._rest:
            self.output(b"\n")

    def _masked(self, line: bytes) -> bytes:
        for secret in self._secrets:
            line = line.replace(secret, MASK)
        return _TOKENS.sub(rb"\1" + MASK, line)

    def line(self, text: str) -> None:
        self.output(f"{log.CLEAR}{text}{log.RESET}\n".encode())

    def info(self, text: str, **fields: object) -> None:
        self.output(f"{log.BOLD_GREEN}{text}{log.RESET}\n".encode())
        log.info(text, **self._fields, **fields)

    def warning(self, text: str) -> None:
        self.output(f"{log.YELLOW}WARNING: {text}{log.RESET}\n".encode())
        log.warning(text, **self._fields)

    def error(self, text: str, **fields: object) -> None:
        """An error of the job, which is only a warning of the runner."""
        self.output(f"{log.BOLD_RED}ERROR: {text}{log.RESET}\n".encode())
        log.warning(text.rstrip("\n"), **self._fields, **fields)

    @contextmanager
    def section(self, name: str, title: str) -> Iterator[None]:
        self.output(f"section_start:{int(time.time())}:{name}\r{log.CLEAR}".encode())
        self.line(f"{log.BOLD_CYAN}{title}{log.RESET}")
        try:
            yield
        finally:
            self.flush()
            self.output(f"section_end:{int(time.time())}:{name}\r{log.CLEAR}".encode())
