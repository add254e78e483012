"""The process log: stderr, in the form that the real program prints.

Messages are padded to 50 columns and followed by sorted fields, with the ANSI colours of
the real one, which it prints on a terminal and elsewhere alike.
"""

import json
import os
import sys
import threading
from datetime import UTC, datetime
from typing import NoReturn

RESET = "\033[0;m"
CLEAR = "\033[0K"
YELLOW = "\033[0;33m"
BOLD_RED = "\033[31;1m"
BOLD_GREEN = "\033[32;1m"
BOLD_YELLOW = "\033[33;1m"
BOLD_CYAN = "\033[36;1m"
BOLD_WHITE = "\033[37;1m"

LEVELS = ["panic", "fatal", "error", "warning", "info", "debug"]
_LOOKS = {
    "debug": (BOLD_WHITE, ""),
    "info": ("", ""),
    "warning": (YELLOW, "WARNING: "),
    "error": (BOLD_RED, "ERROR: "),
    "fatal": (BOLD_RED, "FATAL: "),
    "panic": (BOLD_RED, "PANIC: "),
}


class Panic(Exception):
    """Logged already; the command ends with exit code 1 unless somebody undoes first."""


class _Settings:
    level = "info"
    format = "runner"
    lock = threading.Lock()


def configure(level: str | None = None, format: str | None = None) -> None:
    if level:
        _Settings.level = level if level in LEVELS else "info"
    if format:
        _Settings.format = format


def render(level: str, message: str, fields: dict[str, object], format: str = "runner") -> str:
    """One log line, without its newline."""
    if format == "json":
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return json.dumps({**fields, "level": level, "msg": message, "time": now}, default=str)
    if format == "text":
        pairs = " ".join(f"{key}={fields[key]}" for key in sorted(fields))
        return f"level={level} msg={json.dumps(message)} {pairs}".rstrip()
    colour, prefix = _LOOKS[level]
    line = f"{colour}{prefix}{message:<{50 - len(prefix)}}{RESET} "
    return line + "".join(f" {colour}{key}{RESET}={fields[key]}" for key in sorted(fields))


def _log(level: str, message: str, fields: dict[str, object]) -> None:
    if LEVELS.index(level) > LEVELS.index(_Settings.level):
        return
    with _Settings.lock:
        print(render(level, message, fields, _Settings.format), file=sys.stderr, flush=True)


def debug(message: str, **fields: object) -> None:
    _log("debug", message, fields)


def info(message: str, **fields: object) -> None:
    _log("info", message, fields)


def warning(message: str, **fields: object) -> None:
    _log("warning", message, fields)


def error(message: str, **fields: object) -> None:
    _log("error", message, fields)


def fatal(message: str, **fields: object) -> NoReturn:
    _log("fatal", message, fields)
    raise SystemExit(1)


def panic(message: str) -> NoReturn:
    _log("panic", message, {})
    raise Panic(message)


def user_mode_warning() -> None:
    """The greeting of every command that touches the configuration."""
    if os.geteuid() == 0:
        info("Running in system-mode.")
    else:
        warning("Running in user-mode.")
        warning("Use sudo for system-mode:")
        warning("$ sudo gitlab-runner...")
    info("")


def short(token: str) -> str:
    """The only form in which a runner's token may be logged."""
    if len(token) < 8:
        return token
    if token.startswith("glrt-"):
        return token[5:14]
    if token.startswith("GR") and len(token) >= 17 and _is_hex(token[2:9]):
        return token[:17]
    return token[:8]


def _is_hex(text: str) -> bool:
    return all(character in "0123456789abcdefABCDEF" for character in text)
