"""White space as Go has it, and words cut by it as BuildKit's lexer cuts them."""

import re

# What Go's unicode.IsSpace holds for one; Python's own isspace has four more.
SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
WHITE = frozenset(chr(code) for code in range(0x3001) if re.match(f"[{SPACE}]", chr(code)))


def stripped(text: str, end: bool = True) -> str:
    """The text without white space around it, or only in front."""
    start, last = 0, len(text)
    while start < last and text[start] in WHITE:
        start += 1
    while end and last > start and text[last - 1] in WHITE:
        last -= 1
    return text[start:last]


class Words:
    """The words of a text. `buffer` holds the one that is being read, of all depths of ``${…}``."""

    def __init__(self, buffer: list[str]) -> None:
        self.buffer, self.inside = buffer, False
        self.found: list[str] = []
        buffer.clear()

    def add(self, char: str) -> None:
        if char not in WHITE:
            self.add_raw(char)
        elif self.inside and any(self.buffer):
            self.found.append("".join(self.buffer))
            self.buffer.clear()
            self.inside = False

    def add_raw(self, text: str) -> None:
        self.buffer.append(text)
        self.inside = True

    def all(self) -> list[str]:
        if any(self.buffer):
            self.found.append("".join(self.buffer))
            self.buffer.clear()
        return self.found
