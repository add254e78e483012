"""The command line as the Go programs read it: `-x`, `--x=1`, `--x 1`, booleans only with `=`."""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from ..config import file
from ..table import Table

TRUE = {"1", "t", "T", "true", "TRUE", "True"}
FALSE = {"0", "f", "F", "false", "FALSE", "False"}
Given = dict[tuple[str, ...], object]


class Usage(Exception):
    """The command line cannot be understood."""


@dataclass(frozen=True)
class Flag:
    """One option; `path` says where its value goes: ("docker", "image") or ("tag_list",).

    Its kind is that of a key of config.toml, see known_keys.
    """

    path: tuple[str, ...]
    names: tuple[str, ...]
    env: str = ""
    kind: str = ""

    def value(self, texts: list[str]) -> object:
        """What the texts that were given for it mean."""
        try:
            if self.kind == "?":
                return _bool(texts[-1])
            if self.kind == "#":
                return int(texts[-1])
        except ValueError as error:
            raise Usage(f'invalid value "{texts[-1]}" for flag -{self.names[0]}: {error}') from None
        if self.kind == "%":
            return [part.strip() for text in texts for part in text.split(",")]
        if self.kind in {"=", "&"}:
            pairs = [text.partition(":") for text in texts]
            return Table((k, v in TRUE if self.kind == "&" else v) for k, _, v in pairs)
        return texts if self.kind == "*" else texts[-1]


CONFIG_FILE = Flag(("config_file",), ("c", "config"), "CONFIG_FILE")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Usage(message)


def parse(
    flags: Sequence[Flag], arguments: Sequence[str], environment: Mapping[str, str] = os.environ
) -> Given:
    """What was given, by path; the command line wins over the environment."""
    parser = _Parser(add_help=False, allow_abbrev=False)
    bare = set()  # booleans, which take no word that follows
    for number, flag in enumerate(flags):
        names = [dash + name for name in flag.names for dash in ("-", "--")]
        parser.add_argument(*names, action="append", dest=str(number))
        bare |= set(names) if flag.kind == "?" else set()
    parser.add_argument("rest", nargs=argparse.REMAINDER)
    found = vars(parser.parse_args([f"{a}=true" if a in bare else a for a in arguments]))
    given: Given = {}
    for number, flag in enumerate(flags):
        texts = found[str(number)] or []
        if not texts and flag.env in environment:
            text = environment[flag.env] or ("true" if flag.kind == "?" else "")
            texts = [text] if text else []
        if texts:
            given[flag.path] = flag.value(texts)
    return given


def options(flags: Sequence[Flag], arguments: Sequence[str]) -> Table:
    """The options of a command that changes what is there; `config_file` always among them."""
    given = parse([CONFIG_FILE, *flags], arguments)
    table = Table({path[0]: value for path, value in given.items()})
    return Table({**table, "config_file": table.text("config_file", str(file.default_path()))})


def _bool(text: str) -> bool:
    if text not in TRUE | FALSE:
        raise ValueError("parse error")
    return text in TRUE
