"""The process log, on stderr: a message padded to 50 columns, then its fields in order.

With the colours of the real program, which it prints on a terminal and elsewhere alike.
"""

import os
import sys
import threading
from typing import NoReturn

RESET = "\033[0;m"
CLEAR = "\033[0K"
YELLOW = "\033[0;33m"
BOLD_RED = "\033[31;1m"
BOLD_GREEN = "\033[32;1m"
BOLD_CYAN = "\033[36;1m"

_lock = threading.Lock()


def render(level: str, message: str, fields: dict[str, object]) -> str:
    """One line, without its newline."""
    colour = {"info": "", "warning": YELLOW}.get(level, BOLD_RED)
    prefix = "" if level == "info" else f"{level.upper()}: "
    pairs = "".join(f" {colour}{key}{RESET}={fields[key]}" for key in sorted(fields))
    return f"{colour}{prefix}{message:<{50 - len(prefix)}}{RESET} {pairs}"


def write(level: str, message: str, fields: dict[str, object]) -> None:
    with _lock:
        print(render(level, message, fields), file=sys.stderr, flush=True)


def info(message: str, **fields: object) -> None:
    write("info", message, fields)


def warning(message: str, **fields: object) -> None:
    write("warning", message, fields)


def error(message: str, **fields: object) -> None:
    write("error", message, fields)


def fatal(message: str, **fields: object) -> NoReturn:
    write("fatal", message, fields)
    raise SystemExit(1)


def panic(message: str) -> NoReturn:
    """Another word for it where the real program may still undo something first."""
    write("panic", message, {})
    raise SystemExit(1)


def mode() -> None:
    """The greeting of every command that touches the configuration."""
    info(f"Running in {'system' if os.geteuid() == 0 else 'user'}-mode.")
    info("")


def short(token: str) -> str:
    """The only form in which a runner's token may be logged."""
    return token[5:14] if token.startswith("glrt-") else token[:8]
