"""The command line as the Go programs read it: `-x`, `--x=1`, `--x 1`, booleans only with `=`."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import log

TRUE = {"1", "t", "T", "true", "TRUE", "True"}
FALSE = {"0", "f", "F", "false", "FALSE", "False"}


class Usage(Exception):
    """The command line cannot be understood."""


@dataclass(frozen=True)
class Flag:
    """One option; `path` says where its value goes: ("docker", "image") or ("tag_list",)."""

    path: tuple[str, ...]
    names: tuple[str, ...]
    env: str = ""
    kind: str = "str"


def parse(
    flags: Sequence[Flag], arguments: Sequence[str], environment: Mapping[str, str] = os.environ
) -> dict[tuple[str, ...], Any]:
    """What was given, by path; the command line wins over the environment."""
    by_name = {name: flag for flag in flags for name in flag.names}
    given: dict[tuple[str, ...], Any] = {}
    for name, text in _split(by_name, arguments):
        _add(given, by_name[name], name, text)
    for flag in flags:
        if flag.path in given or not flag.env or flag.env not in environment:
            continue
        text = environment[flag.env]
        if flag.kind == "bool":
            _add(given, flag, flag.names[0], text or "true")
        elif text:
            _add(given, flag, flag.names[0], text)
    return given


def _split(by_name: Mapping[str, Flag], arguments: Sequence[str]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    rest = list(arguments)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        argument = rest.pop(0)
        if argument == "--":
            break
        name, has_value, value = argument.removeprefix("-").removeprefix("-").partition("=")
        if name not in by_name:
            raise Usage(f"flag provided but not defined: -{name}")
        if not has_value:
            if by_name[name].kind == "bool":
                value = "true"
            elif rest:
                value = rest.pop(0)
            else:
                raise Usage(f"flag needs an argument: -{name}")
        pairs.append((name, value))
    return pairs


def _add(given: dict[tuple[str, ...], Any], flag: Flag, name: str, text: str) -> None:
    if flag.kind == "bool":
        if text not in TRUE | FALSE:
            raise Usage(f'invalid boolean value "{text}" for -{name}: parse error')
        given[flag.path] = text in TRUE
    elif flag.kind == "int":
        try:
            given[flag.path] = int(text)
        except ValueError:
            raise Usage(f'invalid value "{text}" for flag -{name}: parse error') from None
    elif flag.kind == "list":
        given.setdefault(flag.path, []).append(text)
    elif flag.kind == "strs":
        given.setdefault(flag.path, []).extend(part.strip() for part in text.split(","))
    elif flag.kind in {"map", "flags"}:
        key, _, value = text.partition(":")
        entry: Any = value in TRUE if flag.kind == "flags" else value
        given.setdefault(flag.path, {})[key] = entry
    else:
        given[flag.path] = text


def warn_on_bool(arguments: Sequence[str]) -> None:
    for index, argument in enumerate(arguments):
        if argument.lower() in {"true", "false"}:
            key = arguments[index - 1] if index else "--key"
            log.warning(
                f"boolean parameters must be passed in the command line with {key}={argument}"
            )
            log.warning("parameters after this may be ignored")
            return
