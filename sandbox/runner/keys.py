"""Data against the table of known keys: what it drops, what it refuses, what it adds."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from .schema_docker import Kind, Table

NEVER = datetime(1, 1, 1, tzinfo=UTC)
_ZEROS: dict[str, Any] = {"str": "", "int": 0, "bool": False, "time": NEVER}
_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "bool": (bool,),
    "list": (list,),
    "strs": (str, list),
    "map": (dict,),
    "flags": (dict,),
    "time": (datetime,),
    "any": (object,),
}
_NAMES = {str: "string", bool: "bool", int: "int64", float: "float64", list: "slice", dict: "map"}


class WrongType(Exception):
    """A value that the Go decoder would refuse."""


def normalise(data: Mapping[str, Any], table: Table, path: str = "") -> dict[str, Any]:
    """Known keys only, in the table's order and spelling; unknown ones are dropped."""
    found = {key.lower(): value for key, value in data.items()}
    result: dict[str, Any] = {}
    for key, kind in table.items():
        if key.lower() in found:
            result[key] = _value(found[key.lower()], kind, f"{path}{key}")
    return result


def _value(value: Any, kind: Kind, path: str) -> Any:
    if isinstance(kind, dict):
        _require(value, (dict,), path)
        return normalise(value, kind, f"{path}.")
    if isinstance(kind, list):
        _require(value, (list,), path)
        return [_value(item, kind[0], path) for item in value]
    kind = kind.rstrip("!")
    if kind == "int" and isinstance(value, bool):
        _require(value, (), path)
    _require(value, _TYPES[kind], path)
    if kind in {"list", "strs"}:
        items = [value] if isinstance(value, str) else value
        for item in items:
            _require(item, (str,), path)
        return list(items)
    if kind in {"map", "flags"}:
        for item in value.values():
            _require(item, (str,) if kind == "map" else (bool,), path)
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value


def _require(value: Any, types: tuple[type, ...], path: str) -> None:
    if not isinstance(value, types):
        name = _NAMES.get(type(value), type(value).__name__)
        raise WrongType(f"incompatible types: TOML value has type {name} ({path})")


def complete(data: Mapping[str, Any], table: Table) -> dict[str, Any]:
    """What is saved: empty values go, and the zeros that the Go encoder writes come."""
    result: dict[str, Any] = {}
    for key, kind in table.items():
        value = data.get(key)
        if isinstance(kind, dict):
            if value is not None:
                result[key] = complete(value, kind)
        elif isinstance(kind, list):
            if value:
                result[key] = [complete(item, kind[0]) for item in value]
        elif kind.endswith("!"):
            result[key] = _ZEROS[kind.rstrip("!")] if value is None else value
        elif value not in (None, "", [], {}) and not (kind == "int" and value == 0):
            result[key] = value
    return result


def unknown(data: Mapping[str, Any], table: Table, path: str = "") -> Iterator[str]:
    """The keys that `lint` complains about, as dotted paths."""
    spelling = {key.lower(): key for key in table}
    for key, value in data.items():
        kind = table.get(spelling.get(key.lower(), ""))
        if kind is None:
            yield f"{path}{key}"
        elif isinstance(kind, dict) and isinstance(value, dict):
            yield from unknown(value, kind, f"{path}{key}.")
        elif isinstance(kind, list) and isinstance(value, list):
            for item in value:
                if isinstance(item, dict):
                    yield from unknown(item, kind[0], f"{path}{key}.")
