"""Data against the known keys: what they drop, what they refuse, what they add."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from ..table import Table
from .known_keys import Keys, Kind

NEVER = datetime(1, 1, 1, tzinfo=UTC)
_ZEROS: dict[str, object] = {"": "", "#": 0, "?": False, "@": NEVER}
_TYPES = {"": str, "#": int, "?": bool, "*": list, "%": list, "=": dict, "&": dict, "@": datetime}
_GO = {str: "string", bool: "bool", int: "int64", float: "float64", list: "slice", dict: "map"}


class WrongType(Exception):
    """A value that the Go decoder would refuse."""


def normalised(data: Mapping[str, object], keys: Keys, path: str = "") -> Table:
    """Known keys only, in their order and spelling; unknown ones are dropped."""
    given = {key.lower(): value for key, value in data.items()}
    return Table(
        (key, _value(given[key.lower()], kind, f"{path}{key}"))
        for key, kind in keys.items()
        if key.lower() in given
    )


def _value(value: object, kind: Kind, path: str) -> object:
    if isinstance(kind, dict) and isinstance(value, dict):
        return normalised(value, kind, f"{path}.")
    if isinstance(kind, list) and isinstance(value, list):
        return [_value(item, kind[0], path) for item in value]
    if isinstance(kind, str):
        kind = kind.rstrip("!")
        value = [value] if kind == "%" and isinstance(value, str) else value
        right = isinstance(value, _TYPES.get(kind, object))
        if right and not (kind == "#" and isinstance(value, bool)):
            return Table(value) if isinstance(value, dict) else value
    name = _GO.get(type(value), type(value).__name__)
    raise WrongType(f"incompatible types: TOML value has type {name} ({path})")


def complete(data: Table, keys: Keys) -> Table:
    """What is saved: empty values go, and the zeros that the Go encoder writes come."""
    result = Table()
    for key, kind in keys.items():
        value = data.get(key)
        if isinstance(kind, dict):
            if isinstance(value, Table):
                result[key] = complete(value, kind)
        elif isinstance(kind, list):
            if tables := data.tables(key):
                result[key] = [complete(item, kind[0]) for item in tables]
        elif kind.endswith("!"):
            result[key] = _ZEROS[kind.rstrip("!")] if value is None else value
        elif value not in (None, "", 0, [], {}) or value is False:
            result[key] = value
    return result


def unknown(data: Mapping[str, object], keys: Keys, path: str = "") -> Iterator[str]:
    """The keys that `lint` complains about, as dotted paths."""
    kinds = {key.lower(): kind for key, kind in keys.items()}
    for key, value in data.items():
        kind = kinds.get(key.lower())
        if kind is None:
            yield f"{path}{key}"
        elif isinstance(kind, dict) and isinstance(value, dict):
            yield from unknown(value, kind, f"{path}{key}.")
        elif isinstance(kind, list) and isinstance(value, list):
            for item in value:
                yield from unknown(item, kind[0], f"{path}{key}.")
