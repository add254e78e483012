"""What a Dockerfile builds on: every image that it takes from elsewhere."""

import csv
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from runnerkit.images import reference
from runnerkit.images.instructions import Instruction, arguments, parsed, read
from runnerkit.images.lexer import Lexer
from runnerkit.images.platforms import variables
from runnerkit.images.shell_pattern import Malformed

SCRATCH = "scratch"
_NUMBER = re.compile(r"[+-]?\d{1,18}", re.ASCII)


@dataclass
class Stage:
    """A stage: its base, which is the stage of the number `above` where there is one, and what else
    it takes from; `triggers` is what the stages that are built on it take from, by ONBUILD.

    A source is a name and whether it may be a stage's number.
    """

    base: str
    name: str = ""
    above: int | None = None
    sources: list[tuple[str, bool]] = field(default_factory=list)
    triggers: list[tuple[str, bool]] = field(default_factory=list)


def bases(
    text: str, args: Mapping[str, str], platform: str = "linux/amd64", every: bool = False
) -> tuple[str, ...]:
    """The images that BuildKit asks for when it builds the last stage, each once, in order.

    A name that is no image's, because it is empty or still has a variable in it, is left to the
    builder: it tells best what is wrong.

    Args:
        text: the Dockerfile.
        args: build arguments; they win over the defaults of ARG.
        platform: what it is built for, os/architecture[/variant].
        every: whether all stages count, as for the classic builder, and not what the last one needs.
    """
    try:
        stages = list(_stages(text, args, platform))
    except (Malformed, RecursionError):
        return ()
    names = {stage.name: number for number, stage in enumerate(stages) if stage.name}
    found: dict[int, list[str]] = {}
    left = [*range(len(stages))] if every else [len(stages) - 1] if stages else []
    while left:
        if (number := left.pop()) in found:
            continue
        stage = stages[number]
        found[number] = [stage.base] if stage.above is None else []
        left += [] if stage.above is None else [stage.above]
        for source, numbered in stage.sources:
            if numbered and _NUMBER.fullmatch(source):
                left += [int(source)] if 0 <= int(source) < len(stages) else []
            elif (named := names.get(source.lower())) is not None:
                left.append(named)
            else:
                found[number].append(source)
    ordered = dict.fromkeys(name for number in sorted(found) for name in found[number])
    return tuple(name for name in ordered if name != SCRATCH and reference.parse(name))


def outside(text: str) -> str:
    """The first COPY or ADD of something outside the context; "" where there is none."""
    for one in read(text):
        if one.word in ("COPY", "ADD") and not _from(one):
            for source in one.paths[:-1]:
                if posixpath.normpath(source.lstrip("/")).split("/")[0] == "..":
                    return f"{one.word} {source}"
    return ""


def _stages(text: str, args: Mapping[str, str], platform: str) -> Iterator[Stage]:
    known = {name: args.get(name, value) for name, value in variables(platform).items()}
    names: dict[str, tuple[int, Stage]] = {}
    stage: Stage | None = None
    number = 0
    for one in read(text):
        if one.word == "FROM":
            if stage:
                yield stage
                names[stage.name] = number, stage
                number += 1
            base, *name = one.words or [""]
            stage = Stage(Lexer(one.escape).word(base, known), name[1].lower() if name[1:] else "")
            if stage.base in names:
                stage.above, parent = names[stage.base]
                stage.sources += parent.triggers
        elif one.word == "ARG" and not stage:
            for word in arguments(one.rest, one.escape):
                key, sign, value = word.partition("=")
                if key in args:
                    known[key] = args[key]
                elif sign:
                    known[key] = Lexer(one.escape).word(value, known)
        elif stage and one.word == "ONBUILD":
            stage.triggers += _borrowed(parsed(one.rest, one.escape))
        elif stage:
            stage.sources += _borrowed(one)
    if stage:
        yield stage


def _borrowed(one: Instruction) -> Iterator[tuple[str, bool]]:
    if one.word == "COPY" and (name := _from(one)):
        yield name, True
    for flag in one.flags if one.word == "RUN" else ():
        if flag.startswith("--mount="):
            for option in _options(flag.partition("=")[2]):
                key, _, value = option.partition("=")
                if key.lower() == "from" and value:
                    yield value, False


def _options(text: str) -> list[str]:
    try:
        return next(csv.reader([text]), [])
    except csv.Error:
        return []


def _from(one: Instruction) -> str:
    return next((flag[7:] for flag in one.flags if flag.startswith("--from=")), "")
