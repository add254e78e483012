"""What hosts have and settings refuse, taken out until the rest is taken."""

import re
from copy import deepcopy
from typing import Any

from runnerkit.errors import KitError
from runnerkit.settings import load

# Left out, each of these would mean another than the hosts have.
WHOLE = re.compile(r"(gitlab\.url|manager\.(image|container|config_dir)|hosts\.[^.]+\.address)\b")
POLICY = "pull_policy"
MOST = 100  # mistakes of hosts: each is another look at all of it


def accepted(data: dict[str, Any]) -> list[str]:
    """Take out of the settings what they may not hold, and tell each mistake.

    Raises:
        KitError: nothing that could be taken out would help.
    """
    refused: list[str] = []
    while lines := load.mistakes(deepcopy(data)):
        refused.append(lines[0])
        if len(refused) > MOST or WHOLE.match(lines[0]) or not _take_out(data, lines[0]):
            raise KitError(
                f"no settings can be written for these hosts: {lines[0]}",
                "./inv init writes settings to fill in by hand",
            )
    return refused


def _take_out(data: dict[str, Any], line: str) -> bool:
    """Take out what a mistake names; where that is not there, the runner that needs it."""
    path, rest = [], line
    table: Any = data
    while isinstance(table, dict) and (key := _first(table, rest)):
        path.append(key)
        rest, table = rest[len(key) :].removeprefix("."), table[key]
    if path[1:] and rest.startswith((":", "[")) and path[2:] != [POLICY]:
        _remove(data, path)
        return True
    every = data.get("runners", ())
    named = [key for key in every if re.search(rf"runners\.{re.escape(key)}(?![\w-])", line)]
    for key in named[:1]:
        drop(data, key)
    return bool(named)


def drop(data: dict[str, Any], runner: str) -> None:
    """Take out a runner, by its key."""
    del data["runners"][runner]
    for host in data["hosts"].values():
        host["runners"] = [one for one in host["runners"] if one != runner]


def _first(table: dict[str, Any], rest: str) -> str:
    """The key that a path begins with, the longest of several."""
    fits = (
        key for key in table if rest.startswith(key) and rest[len(key) :][:1] in (".", ":", "[")
    )
    return max(fits, key=len, default="")


def _remove(data: dict[str, Any], path: list[str]) -> None:
    for key in path[:-1]:
        data = data[key]
    del data[path[-1]]
