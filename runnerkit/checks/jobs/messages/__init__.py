"""What the log of a job, or of a manager, says: the classics by their words, with cause and fix."""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.checks.jobs.messages import containers, network, pulls, scripts, sources
from runnerkit.checks.jobs.messages.message import Message
from runnerkit.printable import LEAST
from runnerkit.redact import mask, plain

# From the special to the general: a line is taken for the first that fits it.
MESSAGES: tuple[Message, ...] = (
    *scripts.WAITING,
    *pulls.MESSAGES,
    *containers.MESSAGES,
    *sources.MESSAGES,
    *scripts.ENDED,
    *network.MESSAGES,
    *scripts.OWN,
)
# Where nothing else fits.
OWN = Message(
    r"job failed: exit (?:code|status) \d+",
    Kind(
        "log-script-failed",
        Level.NOTE,
        "a command of the job's own script failed; the runner did its part",
        "read what that command printed, above this line",
    ),
)
KINDS = (*(one.kind for one in MESSAGES), OWN.kind)
Pair = tuple[Message, re.Pattern[str]]
LETTERS = 600  # of a line's beginning, and of its end
MOST = 5  # findings of a log
LINES = 50  # that one message is looked for in
# FF_TIMESTAMPS: when, which stream; + where the line goes on.
_STAMP = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]{8,16}Z [0-9a-f]{2}[OE](?P<on>[ +]?)", re.MULTILINE)
_SECTION = re.compile(r"section_(?:start|end):\d{1,12}:[\w.-]{1,200}(?:\[[^\]\n]{0,100}\])?[\r ]*")
_CONTROL = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]")


@dataclass(frozen=True)
class Recognized:
    """A finding, and the line that tells it."""

    finding: Finding
    line: str


def recognized(log: str) -> tuple[Recognized, ...]:
    """What a log tells, the most special first. In time that grows as the log does.

    Args:
        log: a line of it, or all: with colours, time stamps, sections and carriage returns, also broken
            by a terminal.
    """
    lines = _lines(log)
    whole = _short(" ".join(map(str.strip, lines)))
    return _found(lines, _MESSAGES) or _found([whole], _MESSAGES) or _found(lines, _OWN)


def _compiled(messages: Iterable[Message]) -> tuple[Pair, ...]:
    return tuple((one, re.compile(f"(?im:{one.pattern})")) for one in messages)


_MESSAGES, _OWN = _compiled(MESSAGES), _compiled((OWN,))


def _found(lines: list[str], messages: tuple[Pair, ...]) -> tuple[Recognized, ...]:
    text = "\n".join(lines)
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    taken: set[int] = set()
    found: list[Recognized] = []
    for message, pattern in messages:
        fits: dict[int, None] = {}
        for one in pattern.finditer(text):
            fits[bisect_right(starts, one.start()) - 1] = None
            if len(fits) == LINES:
                break
        if own := [line for line in fits if line not in taken]:
            found.append(Recognized(message.kind.found(), lines[own[0]].strip()))
            taken |= fits.keys()
    return tuple(found[:MOST])


def _lines(log: str) -> list[str]:
    if len(log) > 2 * LEAST:
        log = f"{log[:LEAST]}\n{log[-LEAST:]}"
    log = _STAMP.sub(lambda stamp: "\0" if stamp["on"] == "+" else "", log).replace("\n\0", "")
    log = mask(_SECTION.sub("\n", _CONTROL.sub("", plain(log))))  # whole: a part shows no name
    lines = dict.fromkeys(re.split(r"[\r\n]+", log))
    return [_short(line) for line in lines if line.strip()]


def _short(line: str) -> str:
    return line if len(line) <= 2 * LETTERS else f"{line[:LETTERS]} … {line[-LETTERS:]}"
