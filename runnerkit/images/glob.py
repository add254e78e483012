"""Many patterns of a .dockerignore at once, in a time that grows with the path alone.

The expressions that patternmatcher makes of them are followed in all their places together, a bit
each: an engine that tries one way after the other takes minutes for a few ``**/``.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from runnerkit.images.pattern import (
    WILD,
    InvalidPattern,
    Test,
    assertive,
    nothing,
    regex,
    sound,
    test,
)

KEPT = 1000  # folders of which it is kept where they lead: with many patterns that takes room


@dataclass(frozen=True)
class _Place:
    """A place of an expression: a character that `test` takes leads on, or stays if it `loops`.

    `skips` says how far one may go on without a character.
    """

    test: Test
    loops: bool = False
    skips: tuple[int, ...] = ()


class Glob:
    """Which of many patterns match a path; each has a number, and several may have the same.

    Raises:
        InvalidPattern: one that is none.
    """

    def __init__(self, patterns: Iterable[tuple[str, int]]) -> None:
        self._plain: dict[str, set[int]] = {}
        self._looking: list[tuple[re.Pattern[str], int]] = []
        self._places: list[_Place] = []
        self._numbers: dict[int, int] = {}  # of those that end at a place
        self._first = 0
        for pattern, number in patterns:
            self._add(pattern, number)
        self._last = sum(1 << place for place in self._numbers)
        self._seen: dict[str, int] = {}
        self._steps: dict[str, tuple[int, int]] = {}

    def matching(self, path: str) -> set[int]:
        """The numbers of those that match a path with slashes, relative to the context."""
        found = {number for looking, number in self._looking if looking.match(path)}
        ends = bin(self._after(path) & self._last)[:1:-1] if self._places else ""
        at = ends.find("1")
        while at >= 0:
            found.add(self._numbers[at])
            at = ends.find("1", at + 1)
        return found | self._plain.get(path, set())

    def _add(self, pattern: str, number: int) -> None:
        if not sound(pattern):
            raise InvalidPattern
        if looking := assertive(pattern):
            self._looking.append((looking, number))
            return
        if not set(pattern) & WILD:
            self._plain.setdefault(pattern, set()).add(number)
            return
        self._first |= 1 << len(self._places)
        if pattern.startswith("**") and not set(pattern[2:]) & WILD:
            self._places += [_ANY, *_literal(pattern[2:])]
            if pattern.startswith("**/"):
                self._plain.setdefault(pattern[3:], set()).add(number)
        elif pattern.endswith("**") and not set(pattern[:-2]) & WILD:
            self._places += [*_literal(pattern[:-2]), _ANY]
        else:
            self._places += _places(regex(pattern).lstrip("^"))
        self._numbers[len(self._places)] = number
        self._places.append(_Place(nothing))

    def _after(self, path: str) -> int:
        """Where one may be when a path is read; where its folder leads is kept."""
        cut = path.rfind("/", 0, len(path) - 1) + 1
        folder, rest = path[:cut], path[cut:]
        if folder not in self._seen:
            if len(self._seen) > KEPT:
                self._seen.clear()
            self._seen[folder] = self._after(folder) if folder else self._closed(self._first)
        places = self._seen[folder]
        for char in rest:
            if not places:
                break
            stays, leads = self._step(char)
            places = self._closed((places & stays) | ((places & leads) << 1))
        return places

    def _step(self, char: str) -> tuple[int, int]:
        if char not in self._steps:
            stays = leads = 0
            for number, place in enumerate(self._places):
                if place.test(char):
                    bit = 1 << number
                    stays, leads = (stays | bit, leads) if place.loops else (stays, leads | bit)
            self._steps[char] = stays, leads
        return self._steps[char]

    @cached_property
    def _skips(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for number, place in enumerate(self._places):
            for far in place.skips:
                found[far] = found.get(far, 0) | 1 << number
        return found

    def _closed(self, places: int) -> int:
        while True:
            more = places
            for far, froms in self._skips.items():
                more |= (more & froms) << far
            if more == places:
                return places
            places = more


_ANY = _Place(lambda _: True, loops=True, skips=(1,))


def _literal(text: str) -> list[_Place]:
    return [_Place(char.__eq__) for char in text]


def _places(text: str) -> Iterator[_Place]:
    """What such an expression holds, one place after the other."""
    at = 0
    while at < len(text):
        if text.startswith("(.*/)?", at):
            yield _Place(nothing, skips=(1, 3))
            yield _Place(re.compile(".").match, loops=True, skips=(1,))
            yield _Place("/".__eq__)
            at += 6
            continue
        taken, at = test(text, at)
        loops = text.startswith("*", at)
        yield _Place(taken, loops, (1,) if loops else ())
        at += loops
