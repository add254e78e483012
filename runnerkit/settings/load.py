"""runnerkit.toml: found, read, and checked whole before any host is touched."""

import re
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec

from runnerkit.errors import KitError, Mistakes
from runnerkit.settings import (
    autoscaler,
    check,
    control,
    free_keys,
    known_keys,
    owner,
    unwritable,
    whole,
)
from runnerkit.settings.command_line import OPTIONS
from runnerkit.settings.model import Settings

DEEPEST = 50  # tables and lists within each other


def load(path: Path | None = None, command_line: dict[str, Any] | None = None) -> Settings:
    """Read and check the settings.

    Args:
        path: the file; None for a run without one.
        command_line: what was typed there, in the file's own shape; it wins.

    Raises:
        KitError: every mistake at once, each with its path.
    """
    data = _read(path) if path else {}
    _lay_over(data, command_line or {})
    where = str(path) if path else "the command line"
    if _deep(data):
        raise _too_deep(where)
    if found := mistakes(data):
        lines = [_as_typed(one, command_line or {}) for one in found]
        if path and (count := sum(one.startswith("--") for one in lines)):
            where = "the command line" if count == len(lines) else f"{path} and the command line"
        raise Mistakes(where, lines)
    return msgspec.convert(data, Settings)


def mistakes(data: dict[str, Any]) -> list[str]:
    """What is wrong with settings, a line each that begins with its path."""
    return list(control.mistakes(data)) or list(_mistakes(data))  # what breaks a line is not shown


def _as_typed(mistake: str, command_line: dict[str, Any]) -> str:
    """A mistake of what was typed, by its option in the place of its path."""
    for path, option in OPTIONS.items():
        value: Any = command_line
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if value and (found := re.match(rf"{re.escape(path)}(\[\d+\])?: ", mistake)):
            return f"{option}: {mistake[found.end() :]}"
    return mistake


def _mistakes(data: dict[str, Any]) -> Iterator[str]:
    """What is wrong in itself, and what is wrong of the rest taken together."""
    wrong = list(check.mistakes(data, Settings))
    yield from (f"{check.written(path)}: {text}" for path, text in wrong)
    rest = deepcopy(data)
    for path, _ in wrong:
        _remove(rest, path)
    known = tuple(check.written(path) for path, _ in wrong)
    for text in (*whole.mistakes(rest), *_free(rest), *autoscaler.mistakes(rest)):
        if not text.startswith(known):  # said already, or missing because it was taken out
            yield text


def _remove(data: Any, path: check.Path) -> None:
    """Take out the value, or the list that it stands in."""
    for place, key in enumerate(path):
        after = path[place + 1 : place + 2]
        if not isinstance(data, dict) or key not in data:
            return
        if not after or isinstance(after[0], int):
            del data[key]
            return
        data = data[key]


def _read(path: Path) -> dict[str, Any]:
    owner.check(path, "RUNNERKIT_SETTINGS")
    try:
        text = path.read_text("utf-8-sig")
        return tomllib.loads(text)
    except FileNotFoundError:
        fix = "correct RUNNERKIT_SETTINGS; ./inv init writes a new file where it points"
        raise KitError(f"{path.absolute()}: no such file", fix) from None
    except OSError as error:
        raise KitError(f"{path}: {error.strerror}", "let it be a file that you may read") from None
    except UnicodeDecodeError:
        raise _no_text(path) from None
    except tomllib.TOMLDecodeError as error:
        if "\0" in text:
            raise _no_text(path) from None
        raise KitError(f"{path} is not valid TOML: {error}", "correct that line") from None
    except RecursionError:
        raise _too_deep(str(path)) from None
    except ValueError:  # of Python, which reads no more digits than some thousand
        raise KitError(f"{path} has a number of thousands of digits", "correct it") from None


def _no_text(path: Path) -> KitError:
    return KitError(
        f"{path} is no settings file: it is not text in UTF-8",
        "save it as UTF-8; or name the right file by RUNNERKIT_SETTINGS (./inv init writes one)",
    )


def _deep(data: dict[str, Any]) -> bool:
    level: list[Any] = [data]
    for _ in range(DEEPEST):
        tables = [one.values() if isinstance(one, dict) else one for one in level]
        level = [one for each in tables for one in each if isinstance(one, dict | list)]
    return bool(level)


def _too_deep(where: str) -> KitError:
    return KitError(
        f"{where}: tables or lists are more than {DEEPEST} deep in each other",
        "take the innermost out",
    )


def _lay_over(data: dict[str, Any], values: dict[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(data.get(key), dict):
            _lay_over(data[key], value)
        else:
            data[key] = value


def _free(data: dict[str, Any]) -> Iterator[str]:
    """What is wrong in the tables that go through to the host's files."""
    daemon = data.get("docker", {}).get("daemon", {})
    yield from free_keys.mistakes(daemon, "docker.daemon")
    yield from unwritable.mistakes(daemon, "docker.daemon", json=True)
    globals_ = data.get("manager", {}).get("settings", {})
    yield from unwritable.mistakes(globals_, "manager.settings")
    yield from free_keys.mistakes(globals_, "manager.settings", known_keys.MANAGER)
    tables = {
        "docker": known_keys.DOCKER,
        "autoscaler": known_keys.AUTOSCALER,
        "settings": known_keys.RUNNER,
    }
    for name, body in data.get("runners", {}).items():
        for table, known in tables.items():
            path = f"runners.{name}.{table}"
            yield from free_keys.mistakes(body.get(table, {}), path, known)
            yield from unwritable.mistakes(body.get(table, {}), path)
