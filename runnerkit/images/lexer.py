"""The words of a Dockerfile, as BuildKit's own lexer has them: quotes, escapes and ``${…}``.

moby/buildkit v0.34.2, frontend/dockerfile/shell/lex.go.
"""

import re
from collections.abc import Mapping

from runnerkit.images.shell_pattern import Malformed, regex, trimmed
from runnerkit.images.words import SPACE, Words

_SPECIAL = "@*#?-$!0"
_KINDS = ("+", "-", "?", "#", "%")


class Lexer:
    """Reads one text at a time.

    Args:
        escape: the file's escape character.
        raw: whether quotes and escapes stay.
        unset: whether a variable that is not known stays as it is written.
    """

    def __init__(self, escape: str = "\\", raw: bool = False, unset: bool = False) -> None:
        self.escape, self.unset = escape, unset
        self._raw = self._raw_now = raw
        self._plain = re.compile(f"[^$'\"<}}/{SPACE}{re.escape(escape)}]+")
        self._text, self._at = "", 0
        self._known: Mapping[str, str] = {}
        self._buffer: list[str] = []  # of a word; one for all depths, as BuildKit has it

    def word(self, text: str, known: Mapping[str, str]) -> str:
        """The text with its variables filled in.

        Raises:
            Malformed: it is no text that BuildKit takes.
        """
        return self._lex(text, known)[0]

    def words(self, text: str, known: Mapping[str, str]) -> list[str]:
        """The same, cut where space is."""
        return self._lex(text, known)[1]

    def _lex(self, text: str, known: Mapping[str, str]) -> tuple[str, list[str]]:
        self._text, self._at, self._known, self._raw_now = text, 0, known, self._raw
        return self._until("", self._raw)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        self._at += 1
        return self._text[self._at - 1 : self._at]

    def _until(self, stop: str, raw: bool, pattern: bool = False) -> tuple[str, list[str]]:
        before, self._raw_now = self._raw_now, raw
        out: list[str] = []
        words = Words(self._buffer)
        while (char := self._peek()) and char != stop:
            if plain := self._plain.match(self._text, self._at):
                self._at = plain.end()
                out.append(plain[0])
                words.add_raw(plain[0])
            elif char == "$":
                out.append(self._dollar())
                for one in out[-1]:
                    words.add(one)
            elif char in "'\"<":
                out.append(self._heredoc() if char == "<" else self._quoted(pattern))
                words.add_raw(out[-1])
            else:
                self._at += 1
                if char == self.escape:
                    if raw:
                        out.append(char)
                        words.add_raw(char)
                    if not (char := self._next()):
                        break
                    words.add_raw(char)
                else:
                    words.add(char)
                out.append(char)
        self._raw_now = before
        if stop and not self._next():
            raise Malformed(f"no {stop}")
        return "".join(out), words.all()

    def _quoted(self, pattern: bool) -> str:
        quote = self._next()
        out = [quote] if self._raw else []
        while char := self._peek():
            if char == "$" and quote == '"':
                out.append(self._dollar())
                continue
            self._at += 1
            if char == quote:
                return "".join([*out, quote] if self._raw else out)
            if char == self.escape and quote == "'":
                out += [char] if pattern else []
            elif char == self.escape:
                if not (after := self._peek()):
                    continue
                if after in ('"', "$", self.escape):
                    out += [char] if self._raw_now else []
                    char = self._next()
                elif self._raw_now and (pattern or not self._raw):
                    out.append(char)
            out.append(char)
        raise Malformed(f"no second {quote}")

    def _heredoc(self) -> str:
        self._at += 1
        if self._peek() != "<":
            return "<"
        start = self._at
        self._at += 1
        while self._peek() in ("\t", "\r", " "):
            self._at += 1
        return f"<{self._text[start : self._at]}"

    def _name(self) -> str:
        if match := re.compile(r"\d+").match(self._text, self._at):
            self._at = match.end()
            return match[0]
        if self._peek() and self._peek() in _SPECIAL:
            return self._next()
        start = self._at
        while (char := self._peek()).isalpha() or char.isdecimal() or char == "_":
            self._at += 1
        return self._text[start : self._at]

    def _dollar(self) -> str:
        self._at += 1
        if self._peek() != "{":
            if not (name := self._name()):
                return "$"
            return self._known.get(name, f"${name}" if self.unset else "")
        self._at += 1
        if self._peek() in ("", "{", "}", ":"):
            raise Malformed("bad substitution")
        name = self._name()
        value, sign = self._known.get(name), self._next()
        left = self.unset and value is None
        if sign == "}":
            return f"${{{name}}}" if left else value or ""
        if sign == "/":
            return self._replaced(name, value)
        empty = sign == ":"
        kind = self._next() if empty else sign
        cut = kind in ("#", "%")
        if cut if empty else kind not in _KINDS:
            raise Malformed(f"unsupported modifier {sign}")
        word, _ = self._until("}", cut, cut)
        if left:
            return f"${{{name}{':' if empty else ''}{kind}{word}}}"
        if kind not in _KINDS:
            raise Malformed(f"unsupported modifier :{kind}")
        if cut:
            greedy = word.startswith(kind)
            return trimmed(word[greedy:], value or "", greedy, at_end=kind == "%")
        there = value is not None and not (empty and value == "")
        if kind == "?" and not there:
            raise Malformed(f"{name}: {word or 'is not set'}")
        if kind == "+":
            return word if there else ""
        return value or "" if there else word

    def _replaced(self, name: str, value: str | None) -> str:
        every = self._peek() == "/"
        self._at += every
        pattern, _ = self._until("/", True, True)
        replacement, _ = self._until("}", True)
        if self.unset and value is None:
            return f"${{{name}/{pattern}/{replacement}}}"
        found = re.compile(regex(pattern, greedy=True))
        return found.sub(lambda _: replacement, value or "", count=0 if every else 1)
