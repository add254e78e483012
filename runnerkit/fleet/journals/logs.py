"""The managers' logs of many hosts, as they were and as they grow."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from runnerkit import resolve
from runnerkit.actions import logs
from runnerkit.actions.logs import LogLine, Selection
from runnerkit.errors import KitError
from runnerkit.fleet.host import Host
from runnerkit.fleet.run import Fleet, Outcome
from runnerkit.machine import streams
from runnerkit.printable import LETTERS
from runnerkit.redact import mask, plain
from runnerkit.settings import durations
from runnerkit.want import Want

LIMIT = 30.0  # seconds that a host is waited for
DECADE = 10 * 366 * 86400  # s
LONGEST = 1 << 16  # bytes of a line
NEVER = (0.0, "")


@dataclass(frozen=True)
class Caught:
    """A host has shown what it had, and is followed from here on."""


Entry = LogLine | Caught | KitError
Tell = Callable[[str, Entry], None]  # the host's name, and what came from there


def selection(since: str, errors: bool, job: str) -> Selection:
    """What of the logs is asked for.

    Raises:
        KitError: a word is no time, or no number.
    """
    if job and not (job.isascii() and job.isdigit() and len(job) <= 18):
        raise KitError(f"--job {job}: no number of a job", "give it as GitLab shows it, without #")
    return Selection(moment(since.strip()), errors, job.lstrip("0") or job)


def read(fleet: Fleet, wanted: Selection) -> list[Outcome[list[LogLine]]]:
    """What the logs have."""

    def work(host: Host, want: Want) -> list[LogLine]:
        return _past(host, want, wanted)[1]

    return fleet.each(_wants(fleet), work, limit=LIMIT)


def follow(fleet: Fleet, wanted: Selection, tell: Tell) -> None:
    """What the logs have, and what comes, until all hosts are gone or Ctrl-C.

    Args:
        fleet: the hosts.
        wanted: what of the logs.
        tell: told each line, and why a host is gone; from a thread of each host.
    """

    def work(host: Host, want: Want) -> None:
        try:
            now, lines = _past(host, want, wanted)
            for one in lines:
                tell(host.name, one)
            tell(host.name, Caught())
            _follow(host, want, now, lines[-1].at if lines else NEVER)
        except KitError as error:
            if not host.machine.closed:
                tell(host.name, error)
            raise

    def _follow(host: Host, want: Want, now: str, last: tuple[float, str]) -> None:
        trouble = ""
        for text in logs.whole(_lines(host, logs.follow(want.manager.container, now))):
            one = logs.line(text)
            if one and one.at > last:
                last, trouble = one.at, ""
                if wanted.takes(one):
                    tell(host.name, one)
            elif not one and text and text != trouble and not text[:1].isdigit():
                trouble = text  # Docker's own word
                tell(host.name, LogLine(NEVER, "error", "", mask(plain(text)[:LETTERS])))

    fleet.each(_wants(fleet), work, at_once=len(fleet.targets))


def _past(host: Host, want: Want, wanted: Selection) -> tuple[str, list[LogLine]]:
    output = host.look(logs.script(want.manager.container, wanted), logs.HINTS)
    return logs.parse(output, wanted)


def _lines(host: Host, script: str) -> Iterator[str]:
    """The lines of a script that goes on.

    Raises:
        KitError: the host is gone.
    """
    with streams.file(host.machine.open(script)) as stream:
        while data := stream.readline(LONGEST):
            yield data.decode(errors="replace").rstrip("\r\n")
    _ = host.machine.transport  # that it broke is the better reason
    raise KitError(
        f"{host.machine.where()}: the log ended",
        "see on the host what became of its login, and of Docker",
    )


def _wants(fleet: Fleet) -> dict[str, Want]:
    wanted = resolve.of_images(fleet.settings, "")  # of the settings, only the manager matters here
    return {target.name: wanted for target in fleet.targets}


def moment(text: str) -> str:
    """A time as ``docker logs`` takes it: how long ago by the host's clock, or a date by ours."""
    if not text:
        return ""
    if (seconds := durations.parsed(text, durations.SECONDS)) is not None:
        return f"{min(seconds, DECADE)}s"
    try:
        return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        raise KitError(
            f"--since {text}: no time", "give 10m, 2h, or a date: 2026-11-26, 2026-11-26T10:00"
        ) from None
