"""Data against the known keys: what they drop, what they refuse, what they add."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from ..table import Table
from .known_keys import Keys, Kind

NEVER = datetime(1, 1, 1, tzinfo=UTC)
_ZEROS: dict[str, object] = {"": "", "#": 0, "?": False, "@": NEVER}
_TYPES: dict[str, tuple[type, ...]] = {
    "": (str,),
    "#": (int,),
    "?": (bool,),
    "*": (list,),
    "%": (str, list),
    "=": (dict,),
    "&": (dict,),
    "@": (datetime,),
    "~": (object,),
}
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
    if isinstance(kind, dict):
        return normalised(value, kind, f"{path}.") if isinstance(value, dict) else _no(value, path)
    if isinstance(kind, list):
        items = value if isinstance(value, list) else _no(value, path)
        return [_value(item, kind[0], path) for item in items]
    kind = kind.rstrip("!")
    if not isinstance(value, _TYPES[kind]) or (kind == "#" and isinstance(value, bool)):
        _no(value, path)
    if kind == "%" and isinstance(value, str):
        return [value]
    wanted = {"*": str, "%": str, "=": str, "&": bool}.get(kind, object)
    if isinstance(value, dict):
        return Table((key, _item(item, wanted, path)) for key, item in value.items())
    if isinstance(value, list):
        return [_item(item, wanted, path) for item in value]
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value


def _item(value: object, wanted: type, path: str) -> object:
    return value if isinstance(value, wanted) else _no(value, path)


def _no(value: object, path: str) -> list[object]:
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
        elif value not in (None, "", [], {}) and not (kind == "#" and value == 0):
            result[key] = value
    return result


def unknown(data: Mapping[str, object], keys: Keys, path: str = "") -> Iterator[str]:
    """The keys that `lint` complains about, as dotted paths."""
    spelling = {key.lower(): key for key in keys}
    for key, value in data.items():
        kind = keys.get(spelling.get(key.lower(), ""))
        if kind is None:
            yield f"{path}{key}"
        elif isinstance(kind, dict) and isinstance(value, dict):
            yield from unknown(value, kind, f"{path}{key}.")
        elif isinstance(kind, list) and isinstance(value, list):
            for item in value:
                if isinstance(item, dict):
                    yield from unknown(item, kind[0], f"{path}{key}.")
