"""JSON as text: a value is masked or set where it stands, and all else keeps its form."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]  # not in the stubs
from typing import Any

_SPACE = re.compile(r"[ \t\r\n]*")
_SCALAR = json.JSONDecoder()


@dataclass(frozen=True)
class Member:
    """A member of an object, or an item of an array: then without a key, from `start` on too."""

    key: str
    start: int
    colon: int  # the end of the key
    node: "Node"


@dataclass(frozen=True)
class Node:
    """A value, and where it stands in the text."""

    start: int
    end: int
    members: tuple[Member, ...] = ()


def node(text: str, at: int = 0) -> Node:
    """The value that stands there, of a text that is known to be JSON."""
    at = _past(text, at)
    if text[at] not in "{[":
        return Node(at, _SCALAR.raw_decode(text, at)[1])
    start, close, members = at, "}" if text[at] == "{" else "]", []
    at = _past(text, at + 1)
    while text[at] != close:
        key, begin, colon = "", at, at
        if close == "}":
            key, colon = scanstring(text, at + 1)
            at = _past(text, colon) + 1
        members.append(Member(key, begin, colon, node(text, at)))
        at = _past(text, members[-1].node.end)
        at = _past(text, at + 1) if text[at] == "," else at
    return Node(start, at + 1, tuple(members))


def replaced(text: str, show: Callable[[tuple[str, ...], Any], Any]) -> str:
    """The text with other values in the places of some.

    Args:
        text: JSON.
        show: told a value that is no object or array, and the keys that lead to it; returns the
            same, or what stands for it.
    """
    parts, at = [], 0
    for keys, one in _leaves(node(text), ()):
        value = json.loads(text[one.start : one.end])
        if (other := show(keys, value)) != value:
            parts += [text[at : one.start], json.dumps(other)]
            at = one.end
    return "".join([*parts, text[at:]])


def laid_over(text: str, values: Mapping[str, Any]) -> str:
    """A JSON object with these values in it, those of its objects laid over in turn."""
    for key, value in values.items():
        text = _with(text, (), key, value)
    return text


def without(text: str, way: Sequence[str]) -> str:
    """A JSON object without the member that these keys lead to, and objects that have none left."""
    one, path = node(text), list(way)
    for depth, name in enumerate(path):
        place = [i for i, each in enumerate(one.members) if each.key == name][-1]
        member = one.members[place]
        if depth + 1 < len(path):
            one = member.node
            continue
        if len(one.members) == 1 and depth:
            return without(text, path[:-1])
        if len(one.members) == 1:
            return f"{text[: one.start]}{{}}{text[one.end :]}"
        if place:
            text = text[: one.members[place - 1].node.end] + text[member.node.end :]
        else:
            text = text[: member.start] + text[one.members[1].start :]
        if [each.key for each in one.members].count(name) > 1:
            return without(text, path)
    return text


def _leaves(one: Node, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Node]]:
    if not one.members:
        yield keys, one
    for member in one.members:
        yield from _leaves(member.node, (*keys, member.key))


def _with(text: str, path: tuple[str, ...], key: str, value: Any) -> str:
    one = node(text)
    for name in path:
        one = [member.node for member in one.members if member.key == name][-1]
    same = [member.node for member in one.members if member.key == key]
    if same and isinstance(value, Mapping) and text[same[-1].start] == "{":
        for inner, each in value.items():
            text = _with(text, (*path, key), inner, each)
        return text
    if same:
        old = same[-1]
        if json.loads(text[old.start : old.end]) == value:
            return text
        return text[: old.start] + _written(value, _margin(text, one), text) + text[old.end :]
    return _added(text, one, key, value)


def _added(text: str, one: Node, key: str, value: Any) -> str:
    """A member more, written as its neighbours are."""
    if not one.members:
        one_line = "\n" not in text.strip() and text[: one.start].strip()
        margin = None if one_line else _line_margin(text, one.start)
        return text[: one.start] + _written({key: value}, margin, text) + text[one.end :]
    last = one.members[-1]
    if len(one.members) > 1:
        between = text[one.members[-2].node.end : last.start]
    else:
        between = "," + (text[one.start + 1 : last.start] or " ")
    colon = text[last.colon : last.node.start]
    member = f"{json.dumps(key)}{colon}{_written(value, _margin(text, one), text)}"
    return text[: last.node.end] + between + member + text[last.node.end :]


def _written(value: Any, margin: str | None, text: str) -> str:
    """A value in one line where `margin` is None, else indented as the file is."""
    if margin is None:
        return json.dumps(value)
    first = re.search(r"^([ \t]+)\S", text, re.MULTILINE)
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = json.dumps(value, indent=first[1] if first else 2).split("\n")
    return f"{newline}{margin}".join(lines)


def _margin(text: str, one: Node) -> str | None:
    """The margin of an object's members; None where they share a line."""
    between = text[one.start + 1 : one.members[-1].start]
    before = between.rpartition("\n")[2]
    return before if "\n" in between and not before.strip() else None


def _line_margin(text: str, at: int) -> str:
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip())]


def _past(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
