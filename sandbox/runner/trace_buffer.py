"""The job's log as bytes: its limit, its size, its checksum."""

import threading
import zlib

from . import log

DEFAULT_LIMIT = 4096 * 1024


class TraceBuffer:
    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._bytes = bytearray()
        self._limit = limit
        self._full = False
        self._lock = threading.Lock()

    def write(self, data: bytes) -> None:
        """Append; past the limit one notice follows, then nothing more."""
        with self._lock:
            if self._full:
                return
            room = self._limit - len(self._bytes)
            if len(data) < room:
                self._bytes += data
                return
            self._full = True
            self._bytes += data[:room].decode(errors="ignore").encode()
            notice = (
                f"\n{log.BOLD_YELLOW}Job's log exceeded limit of {self._limit} bytes.\n"
                f"Job execution will continue but no more output will be collected.{log.RESET}\n"
            )
            self._bytes += notice.encode()

    def read(self, start: int, size: int) -> bytes:
        with self._lock:
            return bytes(self._bytes[start : start + size])

    def __len__(self) -> int:
        return len(self._bytes)

    def output(self) -> dict[str, str | int]:
        """What a PUT tells about the log, so that the server can compare."""
        with self._lock:
            return {
                "checksum": f"crc32:{zlib.crc32(self._bytes):08x}",
                "bytesize": len(self._bytes),
            }
