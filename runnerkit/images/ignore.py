"""What .dockerignore leaves out, decided as Docker decides it.

The rules are those of moby's patternmatcher: Docker's SDK for Python has its own, which ignores
case and knows neither escapes nor ``[^…]``.
"""

import posixpath
import re
from dataclasses import dataclass

from runnerkit.errors import KitError


@dataclass(frozen=True)
class Pattern:
    text: str
    regex: re.Pattern[str]
    keeps: bool  # begins with !


@dataclass(frozen=True)
class Ignore:
    """The patterns of a .dockerignore."""

    patterns: tuple[Pattern, ...] = ()

    def matches(self, path: str, parent: tuple[bool, ...]) -> tuple[bool, tuple[bool, ...]]:
        """Whether a path is left out, and which patterns it or a folder above it matched.

        Args:
            path: relative to the context, with slashes.
            parent: the second answer for the folder that holds it; () at the top.
        """
        out, matched = False, []
        for number, pattern in enumerate(self.patterns):
            match = bool(parent) and parent[number]
            if not match and pattern.keeps == out:
                match = pattern.regex.match(path) is not None
            matched.append(match)
            if match:
                out = not pattern.keeps
        return out, tuple(matched)

    def keeps_below(self, folder: str) -> bool:
        """Whether something in a folder that is left out may be kept all the same."""
        return any(p.keeps and f"{p.text}/".startswith(f"{folder}/") for p in self.patterns)


def parse(text: str, where: str) -> Ignore:
    """Read a .dockerignore.

    Raises:
        KitError: a pattern that Docker refuses as well.
    """
    patterns = []
    for line in text.removeprefix("\ufeff").splitlines():
        rule = "" if line.startswith("#") else line.strip()
        keeps = rule.startswith("!")
        rule = rule[1:].strip() if keeps else rule
        if not rule and not keeps:
            continue
        clean = posixpath.normpath(rule).removeprefix("//") if rule else ""
        clean = clean[1:] if len(clean) > 1 and clean.startswith("/") else clean
        try:
            patterns.append(Pattern(clean, re.compile(_regex(clean), re.DOTALL), keeps))
        except re.error:
            clean = ""
        if not clean:
            raise KitError(f"{where}: Docker refuses the pattern {line!r}", "correct that line")
    return Ignore(tuple(patterns))


def _regex(pattern: str) -> str:
    if not set(pattern) & set("*?[]\\"):
        return rf"{re.escape(pattern)}\Z"
    out, rest, inside = "", pattern, False
    while rest:
        if rest.startswith("**"):
            rest = rest[2:].removeprefix("/")
            out += "(.*/)?" if rest else ".*"
            continue
        char, rest = rest[0], rest[1:]
        if char == "*":
            out += "[^/]*"
        elif char == "?":
            out += "[^/]"
        elif char in ".+()|{}$":
            out += f"\\{char}"
        elif char == "\\":
            out += re.escape(rest[:1]) or "\\\\"
            rest = rest[1:]
        else:
            out += "\\[" if char == "[" and inside else char
            inside = char == "[" or (inside and char != "]")
    return f"{out}\\Z"
