"""What the kit wrote last on a host: by that, what has left the settings is told from what others wrote.

A record for each settings file that has set up the host, so that two do not take away each other's:
keys, and digests of their values, never a value. A run without a settings file has none.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from runnerkit.facts import Facts
from runnerkit.files.merge import canonical

FOLDER = "/var/lib/runnerkit"
PATH = f"{FOLDER}/applied.json"
SCHEMA = 1
MOST = 50  # tokens, former ones too
OLD = re.compile("GR[0-9A-Fa-f]{7}")  # how a token of the old kind begins
EMPTY: tuple[object, ...] = ("", [], {}, (), None)  # what says the same as its absence
Way = tuple[str, ...]  # the keys that lead to a value
Tree = dict[str, Any]  # of keys; where a way ends, the digest of the value


class RunnerRecord(msgspec.Struct):
    """A runner: `token` is the digest of its token, `id` what its entry says, `registered` whether the
    kit did that."""

    token: str = ""
    id: int = 0
    registered: bool = False
    keys: Tree = {}


class Record(msgspec.Struct):
    """What one settings file said: of daemon.json, the config.toml there, the manager's variables, its
    runners, and whether the host runs a cache. `chosen` is the digest of the registry mirrors that were
    found to serve the host, `shorts` are those of what jobs' containers and caches have had of the
    runners' tokens, the newest last."""

    place: str = ""
    daemon: Tree = {}
    config: Tree = {}
    environment: Tree = {}
    runners: dict[str, RunnerRecord] = {}
    cache: bool = False
    chosen: str = ""
    shorts: list[str] = []


class Memory(msgspec.Struct):
    """The file; the records are by what tells the settings files apart. `images` and `files` are those
    that were not there before the kit, whatever settings it ran with, `found` what daemon.json said
    then."""

    schema: int = SCHEMA
    settings: dict[str, Record] = {}
    images: list[str] = []
    files: list[str] = []
    found: Tree = {}


@dataclass(frozen=True)
class Removal:
    """Ways to values that have left the settings: those that go, and those that stay, as somebody else
    has changed them. `gone` are no longer there."""

    goes: tuple[Way, ...] = ()
    stays: tuple[Way, ...] = ()
    gone: tuple[Way, ...] = ()


def parsed(have: Facts) -> Memory:
    """The host's; an empty one where there is none, or none that can be read."""
    return _read(have) or Memory()


def damaged(have: Facts) -> bool:
    """Whether there is one that cannot be read."""
    return PATH in have.files and _read(have) is None


def _read(have: Facts) -> Memory | None:
    file = have.files.get(PATH)
    try:
        found = msgspec.json.decode(file.data if file else b"{}", type=Memory)
    except (msgspec.DecodeError, RecursionError):
        return None
    return found if found.schema == SCHEMA else None


def written(memory: Memory) -> str:
    """The file's text."""
    return json.dumps(msgspec.to_builtins(memory), indent=1, sort_keys=True) + "\n"


def digest(have: Facts, value: object, key: str = "") -> str:
    """What stands for a value, in whatever form; on another host another does."""
    text = json.dumps(canonical(value, key), sort_keys=True, default=str)
    return hashlib.sha256(f"{have.id}\0{text}".encode()).hexdigest()[:16]


def shorts(have: Facts, before: Sequence[str], tokens: Iterable[str]) -> list[str]:
    """What stands for runners' tokens, with those that they have now."""
    now = [short_digest(have, short(one)) for one in tokens]
    return [*(one for one in before if one not in now), *dict.fromkeys(now)][-MOST:]


def short(token: str) -> str:
    """What jobs' containers and caches have of it in their names (the runner's helpers/shorten_token.go)."""
    if token.startswith("glrt-"):
        return token[5:14]
    return token[:17] if len(token) >= 17 and OLD.match(token) else token[:8]


def short_digest(have: Facts, short: str) -> str:
    """What stands for one, as Docker has it: in small letters."""
    return digest(have, short.lower())


def tree(have: Facts, values: Mapping[str, Any]) -> Tree:
    """The keys of values, and their digests."""
    return {
        key: tree(have, value) if isinstance(value, Mapping) else digest(have, value, key)
        for key, value in values.items()
        if value not in EMPTY
    }


def union(first: Mapping[str, Any], *others: Mapping[str, Any]) -> Tree:
    """All their keys; where two have one, the later's value, tables taken together."""
    found = dict(first)
    for other in others:
        for key, value in other.items():
            both = isinstance(value, Mapping) and isinstance(found.get(key), Mapping)
            found[key] = union(found[key], value) if both else value
    return found


def removal(
    have: Facts,
    before: Mapping[str, Any],
    wanted: Mapping[str, Any],
    now: Mapping[str, Any],
    rest: Mapping[Way, Any],
) -> Removal:
    """The three-way merge.

    Args:
        have: the host.
        before: what the kit wrote last, as a tree.
        wanted: what is still said of these values, by whichever settings.
        now: the host's values.
        rest: what a value becomes when it goes; what is not here is taken out.
    """
    goes, stays, gone = [], [], []
    for way, old in _left(before, wanted, ()):
        value: Any = now
        for key in way:
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is None or (way in rest and _same(value, rest[way], way)):
            gone.append(way)
        elif digest(have, value, way[-1]) == old:
            goes.append(way)
        else:
            stays.append(way)
    return Removal(tuple(goes), tuple(stays), tuple(gone))


def _left(
    before: Mapping[str, Any], wanted: Mapping[str, Any], way: Way
) -> Iterator[tuple[Way, str]]:
    """What of it is wanted no longer."""
    for key, one in before.items():
        if not isinstance(one, Mapping):
            if key not in wanted:
                yield (*way, key), str(one)
        elif isinstance(inner := wanted.get(key, {}), Mapping):
            yield from _left(one, inner, (*way, key))


def _same(first: object, second: object, way: Way) -> bool:
    return bool(canonical(first, way[-1]) == canonical(second, way[-1]))
