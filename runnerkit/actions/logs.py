"""The manager's log: how it is asked for, and its lines as data, whichever log_format they have.

gitlab-runner's log/runner_formatter.go, and the two of logrus.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from runnerkit.images.content import instant
from runnerkit.plan import Hint
from runnerkit.printable import LETTERS
from runnerkit.redact import mask, plain
from runnerkit.templates import render

LAST = 100  # lines of a host, where no time is named
MOST = 5000  # lines of a host, where one is
AROUND = 5  # lines of an entry
RESET = "\x1b[0;m"  # behind every message of the program's own format
LEVELS = ("warning", "error", "fatal", "panic")
HINTS = (
    Hint("No such container", "./inv bootstrap --host HOST runs it; or name yours in [manager] container"),
    Hint("Cannot connect to the Docker daemon", "start Docker on the host: systemctl start docker"),
    Hint("does not support reading", "its log goes elsewhere: see log-driver of the host's daemon.json"),
)  # fmt: skip
# The engine's own zone, where its driver is `local`.
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{9})(?:Z|[+-]\d\d:\d\d)) (.*)")
_PREFIX = re.compile(r"(WARNING|ERROR|FATAL|PANIC): ")
_LEVEL = re.compile(r"\blevel=(\w+)")
_JOB = re.compile(r"(?:^|\s)job=(\d{1,18})\b")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"')


@dataclass(frozen=True)
class Selection:
    """What of the log is wanted.

    `since` is as ``docker logs`` takes it: "600s", or a time of RFC 3339; "" for the last lines.
    `errors` are warnings too: that GitLab cannot be reached is one. `job` is its number, or "".
    """

    since: str = ""
    errors: bool = False
    job: str = ""

    def takes(self, line: "LogLine") -> bool:
        """Whether a line is wanted."""
        return (not self.errors or line.level in LEVELS) and self.job in ("", line.job)


@dataclass(frozen=True)
class LogLine:
    """A line of a host's log, without colours and secrets; `at` are seconds since 1970 and their part,
    by the host's clock."""

    at: tuple[float, str]
    level: str
    job: str
    text: str


def script(container: str, selection: Selection) -> str:
    """The script that prints the host's clock, and what may be wanted of the log."""
    filters = ["-iE 'warn|error|fatal|panic'"] * selection.errors
    filters += [f"-F {selection.job}"] * bool(selection.job)  # more than is wanted, never less
    return render(
        "logs.sh.j2",
        name=container,
        since=selection.since,
        bound="all" if filters else LAST,
        filters=filters,
        most=MOST if selection.since or filters else LAST,
        around=AROUND,
    )


def follow(container: str, since: str) -> str:
    """The script that goes on printing it.

    Args:
        container: the manager's.
        since: seconds since 1970 by the host's clock.
    """
    return render("follow-logs.sh.j2", name=container, since=since)


def parse(text: str, selection: Selection) -> tuple[str, list[LogLine]]:
    """The host's clock, and the lines that are wanted."""
    first, _, rest = text.partition("\n")
    lines = (line(one) for one in whole(rest.split("\n")))
    found = [one for one in lines if one and selection.takes(one)]
    return first.removeprefix("now: "), found[0 if selection.since else -LAST :]


def whole(texts: Iterable[str]) -> Iterator[str]:
    """Put together again what is of one entry: a message may end in a break of line, or have some."""
    held: list[str] = []
    for text in texts:
        stamped = _TIME.match(text)
        words = stamped[3] if stamped else ""
        goes_on = held and words and (_is_open(held[0]) or words.lstrip().startswith(RESET))
        if goes_on and len(held) <= AROUND:
            held.append(words)
        else:
            yield from [" ".join(held)] * bool(held)
            held = [text]
        if RESET in words or not words:
            yield " ".join(held)
            held = []
    yield from [" ".join(held)] * bool(held)


def _is_open(text: str) -> bool:
    """Whether it begins in a colour that does not end."""
    return text.partition(" ")[2].startswith("\x1b[") and RESET not in text


def line(text: str) -> LogLine | None:
    """A line as Docker prints it; None for one without a time or a word."""
    if not (stamped := _TIME.match(text)):
        return None
    words = plain(stamped[3]).strip()
    level, job = _of_json(words) if words.startswith("{") else ("", "")
    words = words[:LETTERS]
    if not level:
        found = _PREFIX.match(words) or _LEVEL.search(words)
        number = _JOB.search(_QUOTED.sub("", words))
        level, job = found[1].lower() if found else "info", number[1] if number else job
    shown = mask(re.sub(" {2,}", "  ", words))
    return LogLine((instant(stamped[1]), stamped[2]), level, job, shown) if words else None


def _of_json(text: str) -> tuple[str, str]:
    try:
        data = json.loads(text)
        level, job = str(data.get("level", "")), str(data.get("job", ""))
        return level if level.isalpha() else "", job if re.fullmatch("[0-9]{1,18}", job) else ""
    except (ValueError, AttributeError, RecursionError):
        return "", ""
