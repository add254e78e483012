"""What Invoke reads from and writes to, without its pauses and without keeping anything."""

import io
from collections.abc import Callable


class Stdin(io.StringIO):
    """Given to Invoke whole: it would read one character every 10 ms."""

    def read(self, size: int | None = -1, /) -> str:
        return super().read()


class Lines(io.StringIO):
    """Hands on whole lines as they come, and keeps nothing."""

    def __init__(self, line: Callable[[str], None] | None) -> None:
        super().__init__()
        self._line, self._rest = line, ""

    def write(self, text: str, /) -> int:
        if self._line:
            *lines, self._rest = (self._rest + text).replace("\r", "\n").split("\n")
            for whole in filter(str.strip, lines):
                self._line(whole.strip())
        return len(text)
