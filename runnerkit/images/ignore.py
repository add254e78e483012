"""What .dockerignore leaves out, decided as BuildKit decides it.

The rules are those of moby/patternmatcher v0.6.1 and tonistiigi/fsutil's filter.go: Docker's SDK for
Python has its own, which ignores case and knows neither escapes nor ``[^…]``.
"""

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby

from runnerkit.errors import KitError
from runnerkit.images.glob import Glob
from runnerkit.images.pattern import InvalidPattern
from runnerkit.images.words import stripped

_WILD = re.compile(r"[*\[\]?^\\]")


class Ignore:
    """The patterns of a .dockerignore: each is what it holds, and whether it keeps.

    Those that follow each other and all keep, or all leave out, are a run: any that matches does.

    Raises:
        InvalidPattern: one that is none.
    """

    def __init__(self, patterns: Sequence[tuple[str, bool]] = ()) -> None:
        runs = [(keeps, [*run]) for keeps, run in groupby(patterns, lambda one: one[1])]
        self._keeps = [keeps for keeps, _ in runs]
        self._glob = Glob((text, number) for number, (_, run) in enumerate(runs) for text, _ in run)
        kept = [text for text, keeps in patterns if keeps]
        ends = [text.removesuffix("/**").removesuffix("/*") for text in kept]
        self._wild = any(map(_WILD.search, ends))
        self._above, self._spelt = ({*_prefixes(texts)} for texts in (ends, kept))

    def matches(self, path: str, parent: Collection[int]) -> tuple[bool, Collection[int]]:
        """Whether a path is left out, and which runs it or a folder above it matched.

        Args:
            path: relative to the context, with slashes.
            parent: the second answer for the folder that holds it; () at the top.
        """
        out, matched = False, set[int]()
        for run in sorted({*parent, *self._glob.matching(path)}):
            if run in parent or self._keeps[run] == out:
                matched.add(run)
                out = not self._keeps[run]
        return out, matched

    def keeps_below(self, folder: str, classic: bool = False) -> bool:
        """Whether a folder that is left out is looked into for something that is kept.

        Args:
            folder: relative to the context, with slashes.
            classic: whether for Docker's classic builder, which must find the folder spelt out.
        """
        return folder in self._spelt if classic else self._wild or folder in self._above


def parse(text: str, where: str) -> Ignore:
    """Read a .dockerignore.

    Raises:
        KitError: a pattern that Docker refuses as well.
    """
    patterns: list[tuple[str, bool]] = []
    for line in text.removeprefix("\ufeff").split("\n"):
        if (rule := _rule(line)) is None:
            continue
        try:
            if rule[0] == "":
                raise InvalidPattern
            Glob([(rule[0], 0)])
        except InvalidPattern:
            what = f"{where}: Docker refuses the pattern {line.rstrip(chr(13))!r}"
            raise KitError(what, "correct that line") from None
        patterns.append(rule)
    return Ignore(patterns)


def _rule(line: str) -> tuple[str, bool] | None:
    """The pattern of a line and whether it keeps; None for a line without one.

    Cleaned twice, and ! read twice, as ignorefile.ReadAll and patternmatcher.New do.
    """
    rule = "" if line.startswith("#") else stripped(line)
    if rule.startswith("!"):
        inner = stripped(rule[1:])
        rule = f"!{_clean(inner)}" if inner else "!"
    elif rule:
        rule = _clean(rule)
    rule = posixpath.normpath(stripped(rule)) if stripped(rule) else ""
    if not rule:
        return None
    return (rule[1:], True) if rule.startswith("!") else (rule, False)


def _clean(rule: str) -> str:
    clean = re.sub("^/+", "/", posixpath.normpath(rule))
    return clean[1:] if len(clean) > 1 and clean.startswith("/") else clean


def _prefixes(paths: Iterable[str]) -> Iterator[str]:
    """Those paths and the folders above them."""
    for path in paths:
        words = path.split("/")
        yield from ("/".join(words[:end]) for end in range(1, len(words) + 1))
