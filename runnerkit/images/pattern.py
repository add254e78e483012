"""A pattern of a .dockerignore as Docker reads it: moby/patternmatcher v0.6.1, patternmatcher.go.

It makes a regular expression of a pattern, with what stands in brackets or after a backslash as Go
reads it there: ``bin\\Debug`` is `bin`, no digit, `ebug`.
"""

import re
from collections.abc import Callable

Test = Callable[[str], object]

WILD = frozenset("*?[]\\")
# What Go's path/filepath.Match takes of a pattern, up to a star.
_CLASS = r"\[\^?(?:(?:\\.|[^\\\]-])(?:-(?:\\.|[^\\\]-]))?)+\]"
_SOUND = re.compile(rf"(?:[^\[\\]|\\.|{_CLASS})*\Z", re.DOTALL)
_CHUNK = re.compile(r"((?:[^\[*\\]|\\.?|\[(?:[^\]\\]|\\.?)*(?:\]|\Z))*)(.*)", re.DOTALL)
# What Python reads as Go does.
_ASSERTION = re.compile(r"\\[bBAx0-7]")
_CONTROLS = dict(zip("afnrtv", "\a\f\n\r\t\v", strict=True))
_PERL = {"d": "0-9", "s": "\t\n\f\r ", "w": "0-9A-Za-z_"}
_POSIX = {
    **{"alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": "\0-\x7f", "blank": "\t ", "digit": "0-9"},
    **{"cntrl": "\0-\x1f\x7f", "graph": "!-~", "lower": "a-z", "print": " -~", "upper": "A-Z"},
    **{"punct": "!-/:-@[-`{-~", "space": "\t-\r ", "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f"},
}


class InvalidPattern(ValueError):
    """A pattern that Docker refuses as well, or that only Go's regular expressions could read."""


def sound(pattern: str) -> bool:
    """Whether path/filepath.Match takes it, asked about `.`; it reads on only where that matches."""
    for _ in range(2):
        stars = len(pattern) - len(pattern.lstrip("*"))
        match = _CHUNK.match(pattern, stars)
        chunk, pattern = match.groups() if match else ("", "")
        if not _SOUND.match(chunk):
            return False
        if chunk not in (".", "?", "\\."):
            break
    return True


def assertive(pattern: str) -> re.Pattern[str] | None:
    """The expression where it looks at what stands around a place, as ``\\b`` does; None for others."""
    if not _ASSERTION.search(pattern):
        return None
    if pattern.count("**") > 3:  # Python's engine would try for ever
        raise InvalidPattern
    try:
        return re.compile(re.sub(r"(?<!\\)\[\[", r"[\\[", regex(pattern)) + r"\Z", re.ASCII)
    except re.error:
        raise InvalidPattern from None


def regex(pattern: str) -> str:
    """The expression that patternmatcher makes of it; a backslash at its end takes the end away."""
    out, at, end = [], 0, len(pattern)
    while at < end:
        if pattern.startswith("**", at):
            at += 3 if pattern.startswith("/", at + 2) else 2
            if at == end:
                out.append(".*")
            elif out[-1:] != [
                "(.*/)?"
            ]:  # a second one in a row takes nothing that the first does not
                out.append("(.*/)?")
            continue
        char, at = pattern[at], at + 1
        if char == "\\":
            out.append(f"\\{pattern[at]}" if at < end else "\\$[^\0]*")
            at += 1
        else:
            own = f"\\{char}" if char in ".+()|{}$" else char
            out.append({"*": "[^/]*", "?": "[^/]"}.get(char, own))
    return "".join(out)


def test(text: str, at: int) -> tuple[Test, int]:
    """What one place of such an expression takes, and where the next begins."""
    if text[at] == "[":
        return _class(text, at + 1)
    if text[at] == ".":
        return re.compile(".").match, at + 1
    if text[at] == "^":  # the path's beginning, which is behind
        return nothing, at + 1
    if text[at] == "\\" and (known := _perl(text[at + 1 : at + 2])):
        return re.compile(known).match, at + 2
    char, at = _char(text, at)
    return char.__eq__, at


def nothing(char: str) -> None:
    """The test of a place that no character leads on from."""


def _class(text: str, at: int) -> tuple[Test, int]:
    """What stands in brackets, from behind the first one."""
    negated = text.startswith("^", at)
    start = at = at + negated
    kinds: list[str] = []
    while at == start or not text.startswith("]", at):
        if posix := re.compile(r"\[:(\^?)(.*?):\]").match(text, at):
            if posix[2] not in _POSIX:
                raise InvalidPattern
            kinds.append(f"[{posix[1]}{_POSIX[posix[2]]}]")
            at = posix.end()
        elif text.startswith("\\", at) and (known := _perl(text[at + 1 : at + 2])):
            kinds.append(known)
            at += 2
        else:
            low, at = _char(text, at)
            high = low
            if text.startswith("-", at) and not text.startswith("]", at + 1):
                high, at = _char(text, at + 1)
            if high < low:
                raise InvalidPattern
            kinds.append(f"[{re.escape(low)}-{re.escape(high)}]")
    either = "|".join(kinds)
    return re.compile(f"(?!{either})." if negated else either, re.DOTALL).match, at + 1


def _perl(letter: str) -> str:
    known = _PERL.get(letter.lower(), "")
    return known and f"[{'^' if letter.isupper() else ''}{known}]"


def _char(text: str, at: int) -> tuple[str, int]:
    """A character, maybe escaped, and where the next begins."""
    char = text[at : at + 1]
    if char != "\\":
        if not char:
            raise InvalidPattern
        return char, at + 1
    char = text[at + 1 : at + 2]
    if not char or not char.isascii() or (char.isalnum() and char not in _CONTROLS):
        raise InvalidPattern
    return _CONTROLS.get(char, char), at + 2
