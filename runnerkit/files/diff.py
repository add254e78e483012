"""What changes in a file, for people to read: its secrets are masked as data, by key at any depth."""

import difflib
import json
import re
import tomllib
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

from runnerkit.files import json_text
from runnerkit.redact import MASK, mask
from runnerkit.settings.secrets import may_name_secret

_VARIABLE = re.compile(r"([A-Za-z_][\w.-]*)=(.*)", re.DOTALL)
SAME = "(only secrets differ)"


def diff(old: str, new: str, path: str) -> str:
    """A unified diff with secrets masked; of .json and .toml as data first, then as text.

    Args:
        old: what is there.
        new: what shall be there.
        path: of both; its ending says what they are.
    """
    kind = PurePosixPath(path).suffix
    before, after = (mask(_masked(text.lstrip("\ufeff"), kind)) for text in (old, new))
    if before == after and old != new:
        return SAME
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), path, path, lineterm="", n=2
    )
    return "\n".join(lines)


def _masked(text: str, kind: str) -> str:
    if not text.strip():
        return text
    try:
        if kind == ".json":
            json.loads(text)
            return json_text.replaced(text, shown)
        if kind == ".toml":
            tomllib.loads(text)
            return _toml(text)
    except (ValueError, RecursionError):
        return MASK  # what cannot be read is not shown
    return text


def shown(keys: Iterable[str], value: Any) -> Any:
    """A value that is no table or list, as people may see it; the same where it is no secret."""
    if value is None or value == "" or isinstance(value, bool):
        return value
    if any(map(may_name_secret, keys)):
        return MASK
    return _text(value) if isinstance(value, str) else value


def _text(value: str) -> str:
    """A text that may hold a variable (NAME=value), or JSON."""
    if variable := _VARIABLE.fullmatch(value):
        name, inner = variable[1], variable[2]
        return f"{name}={MASK if inner and may_name_secret(name) else _text(inner)}"
    if value.lstrip()[:1] in ("{", "["):
        try:
            json.loads(value)
            return mask(json_text.replaced(value, shown))
        except (ValueError, RecursionError):
            pass
    return mask(value)


def _toml(text: str) -> str:
    """The form is kept: only the values that are secrets become others."""
    import tomlkit

    document = tomlkit.parse(text)
    _walk(document, ())
    return tomlkit.dumps(document)


def _walk(inside: Any, keys: tuple[str, ...]) -> None:
    for key in list(inside) if isinstance(inside, dict) else range(len(inside)):
        value = inside[key]
        path = (*keys, key) if isinstance(key, str) else keys
        if isinstance(value, dict | list):
            _walk(value, path)
        elif (other := shown(path, value)) != value:
            inside[key] = other
