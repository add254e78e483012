"""The instructions of a Dockerfile, as BuildKit's own parser reads them.

moby/buildkit v0.34.2, frontend/dockerfile/parser.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from runnerkit.images.lexer import Lexer
from runnerkit.images.shell_pattern import Malformed
from runnerkit.images.words import SPACE, WHITE, stripped

_DIRECTIVE = re.compile(rf"#[{SPACE}]*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*\Z", re.ASCII)
_SPACES = re.compile(r"[\t\v\f\r ]+")
_HEREDOC = re.compile(r"(\d*)<<(-?)[\t\n\f\r ]*([^<]*)\Z", re.ASCII)
_WITH_FILES = ("ADD", "COPY", "RUN")


@dataclass(frozen=True)
class Instruction:
    """`word` is in capitals, `flags` are those in front, without quotes, `rest` is what follows.

    `escape` is the escape character of the file.
    """

    word: str
    flags: tuple[str, ...]
    rest: str
    escape: str = "\\"

    @property
    def words(self) -> list[str]:
        """What follows, by the spaces in it."""
        return _SPACES.split(self.rest) if self.rest else []

    @property
    def paths(self) -> list[str]:
        """The same of a COPY or ADD, which may be a list in JSON."""
        found = listed(self.rest)
        return self.words if found is None else found


@lru_cache(16)
def read(text: str) -> tuple[Instruction, ...]:
    """Each instruction, its lines joined; comments and the bodies of heredocs left out.

    They end where BuildKit refuses to read on.
    """
    return tuple(_read(text))


def parsed(line: str, escape: str) -> Instruction:
    """An instruction in one line."""
    word, *more = _SPACES.split(stripped(line), maxsplit=1)
    flags, rest = _flags(more[0], escape) if more else ([], "")
    return Instruction(word.upper(), tuple(flags), stripped(rest), escape)


def arguments(rest: str, escape: str) -> list[str]:
    """The words of an ARG: quotes are theirs to hold spaces, and stay."""
    found: list[str] = []
    word: list[str] = []
    quote, blank = "", False
    at = 0
    while at < len(rest):
        char = rest[at]
        at += 1
        if not quote and char in WHITE:
            found += ["".join(word)] if word or blank else []
            word, blank = [], False
            continue
        if char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote, blank = char, True
        elif char == escape and quote != "'":
            if at == len(rest):
                break
            char += rest[at]
            at += 1
        word.append(char)
    return [*found, "".join(word)] if word or blank else found


def _read(text: str) -> Iterator[Instruction]:
    lines = iter(text.removeprefix("\ufeff").split("\n"))
    escape, seen, head = "\\", set[str](), True
    try:
        for raw in lines:
            line = stripped(raw.rstrip("\r"), end=False)
            directive = _DIRECTIVE.match(line) if head else None
            if directive and (key := directive[1].lower()) in ("syntax", "escape", "check"):
                if key in seen:
                    return
                seen.add(key)
                if key == "escape" and (escape := directive[2]) not in ("\\", "`"):
                    return
                continue
            head = False
            whole = "" if line.startswith("#") else _joined(line, lines, escape)
            if not whole:
                continue
            found = parsed(whole, escape)
            for heredoc in _heredocs(found, whole):
                _skip(lines, *heredoc)
            yield found
    except Malformed:
        return


def _joined(line: str, lines: Iterator[str], escape: str) -> str:
    """The line with those that go on with it."""
    mark = re.escape(escape)
    more = re.compile(rf"(?:(?<=[^{mark}])|\A){mark}[ \t]*\Z")
    parts = [more.sub("", line)]
    goes_on = parts[0] != line
    while goes_on and (following := next(lines, None)) is not None:
        line = following.rstrip("\r")
        bare = stripped(line, end=False)
        if bare and not bare.startswith("#"):
            parts.append(more.sub("", line))
            goes_on = parts[-1] != line
    return "".join(parts)


def _flags(text: str, escape: str) -> tuple[list[str], str]:
    """The words in front that begin with --, and what follows."""
    found: list[str] = []
    at = 0
    while True:
        while at < len(text) and text[at] in WHITE:
            at += 1
        if not text.startswith("--", at):
            return found, text[at:]
        word, quote = "", ""
        while at < len(text) and (quote or text[at] not in WHITE):
            char = text[at]
            if char == quote:
                quote = ""
            elif not quote and char in "'\"":
                quote = char
            elif char == escape:
                at += 1
                word += text[at : at + 1]
            else:
                word += char
            at += 1
        if word == "--":
            return found, text[at:]
        found.append(word)


def listed(text: str) -> list[str] | None:
    """The texts of a JSON list; None where it is none."""
    if not text.startswith("["):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(one, str) for one in found):
        raise Malformed("a list of other things than texts")
    return [str(one) for one in found]


def _heredocs(found: Instruction, line: str) -> Iterator[tuple[str, bool]]:
    """The ends of the heredocs of an instruction, and whether tabs may stand before them."""
    inner = parsed(found.rest, found.escape) if found.word == "ONBUILD" else found
    if inner.word not in _WITH_FILES or "<<" not in line or listed(inner.rest) is not None:
        return
    try:
        words = Lexer(raw=True, unset=True).words(line, {})
    except Malformed:
        return
    for word in words:
        if (match := _HEREDOC.match(word)) and match[3]:
            names = Lexer(unset=True).words(match[3], {})
            if len(names) == 1:
                yield names[0], match[2] == "-"


def _skip(lines: Iterator[str], end: str, tabs: bool) -> None:
    for line in lines:
        bare = line.rstrip("\r")
        if (bare.lstrip("\t") if tabs else bare) == end:
            return
    raise Malformed(f"no {end}")
