"""Values laid over others by meaning: what is the same in another form is left as it is written."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import Item, Table

DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)")
STEP = "  "  # by which the runner indents what is inside of a table
SECONDS = {"h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
# Of the autoscaler's keys, those whose zero says something else than their absence.
ZERO_COUNTS = ("plugin_config", "preemptive_mode", "reservation_throttling")
# Tables that are to be empty where the settings say {}: each of their keys gives something of the host.
GIVING = ("services_devices", "volume_driver_ops")


def missing(want: Any, have: Any, key: str = "", zeros: bool = False) -> bool:
    """Whether `have` lacks something of `want`; keys that `want` does not name do not matter.

    Args:
        want: a value of the settings.
        have: the file's.
        key: what both are the value of.
        zeros: whether the runner, when it saves the file, leaves out what is zero.
    """
    zeros = (zeros or key == "autoscaler") and key not in ZERO_COUNTS
    if have is None and (want in ("", [], ()) or ((zeros or key in GIVING) and not want)):
        return False
    if key in GIVING and not want:
        return bool(have)
    if isinstance(want, dict):
        have = {} if zeros and have is None else have
        if not isinstance(have, dict):
            return True
        return any(missing(value, have.get(k), k, zeros) for k, value in want.items())
    if _tables(want) and _tables(have) and len(want) == len(have):
        return any(missing(a, b, key, zeros) for a, b in zip(want, have, strict=True))
    return bool(_meaning(want, key) != _meaning(have, key))


def canonical(value: Any, key: str = "") -> Any:
    """A value as it compares with others of that key: without its form, tables without what is nothing."""
    if isinstance(value, dict):
        return {name: canonical(one, name) for name, one in value.items() if one}
    if isinstance(value, list | tuple) and _tables(list(value)):
        return [canonical(one, key) for one in value]
    return _meaning(value, key)


def take_out(table: "TOMLDocument | Table", way: Sequence[str], rest: Any = None) -> None:
    """Take a key out of a tomlkit table, and tables that have nothing left; or set `rest` in its place."""
    key, *more = way
    if more:
        take_out(table[key], more, rest)
        if not table[key]:
            table.pop(key)
    elif rest is None:
        table.pop(key)
    else:
        _put(table, key, rest)


def lay_over(table: "TOMLDocument | Table", values: Mapping[str, Any], zeros: bool = False) -> None:
    """Set in a tomlkit table what differs in meaning, and nothing else."""
    for key, value in values.items():
        now: Any = table.get(key)
        inner = (zeros or key == "autoscaler") and key not in ZERO_COUNTS
        if value == {} and key in GIVING:
            table.pop(key, None)
        elif isinstance(value, dict) and isinstance(now, dict):
            lay_over(now, value, inner)  # type: ignore[arg-type]  # tomlkit's tables are dicts
        elif _tables(value) and _tables(now) and len(value) == len(now):
            for mine, theirs in zip(value, now, strict=True):
                lay_over(theirs, mine, inner)
        elif missing(value, now, key, zeros):
            _put(table, key, value)


def _put(table: "TOMLDocument | Table", key: str, value: Any) -> None:
    """Set a key, indented as its neighbours are."""
    from tomlkit import TOMLDocument, item
    from tomlkit.items import Table

    if isinstance(table, TOMLDocument):
        body, indent = table.body, ""
    elif not isinstance(table, Table):  # in one line, or in pieces
        table[key] = value
        return
    else:
        body, header = table.value.body, table.trivia.indent
        indent = header and header + STEP
    neighbours = [one.trivia.indent for name, one in body if name is not None]
    new = item(value)
    table[key] = new
    _indent(new, neighbours[0] if neighbours else indent)


def _indent(new: "Item", indent: str) -> None:
    from tomlkit.items import AoT, Table

    if isinstance(new, AoT):
        for one in new.body:
            _indent(one, indent)
        return
    new.trivia.indent = indent
    for name, inner in new.value.body if isinstance(new, Table) else ():
        if name is not None:
            _indent(inner, indent and indent + STEP)


def _tables(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _meaning(value: Any, key: str) -> Any:
    """The value without its form.

    The runner turns a string pull_policy into a list, takes none for always, adds /cache, and writes
    90s as 1m30s.
    """
    if key == "pull_policy" and (not value or isinstance(value, str)):
        return [value or "always"]
    if key == "volumes" and isinstance(value, list | tuple):
        return sorted({*value, "/cache"})
    if isinstance(value, str) and re.fullmatch(f"(?:{DURATION.pattern})+", value):
        return sum(float(number) * SECONDS[unit] for number, unit in DURATION.findall(value))
    return list(value) if isinstance(value, tuple) else value
