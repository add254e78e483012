"""A machine's serial console, which QEMU writes into a file, as people read it."""

import re
from pathlib import Path


def text(file: Path) -> str:
    """All of it so far, without colours."""
    text = file.read_text(errors="replace") if file.exists() else ""
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]|[\r\x00]", "", text)


def tail(file: Path, lines: int) -> str:
    """Its last lines that are not empty."""
    return "\n".join([line for line in text(file).splitlines() if line.strip()][-lines:])
