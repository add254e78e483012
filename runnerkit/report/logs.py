"""The managers' logs, shown: each line with its host, in time order."""

import json
import queue
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

from runnerkit.actions.logs import MOST, LogLine
from runnerkit.errors import INTERRUPTED, KitError
from runnerkit.fleet.journals.logs import Entry, Tell
from runnerkit.fleet.run import Outcome
from runnerkit.printable import in_one_line
from runnerkit.report import outcome as of
from runnerkit.report.page import SCHEMA, Page, advice, discard, note, once

NONE = ("no such line", "look further back: --since 2h, --since 7d")
PATIENCE = 5.0  # seconds that hosts are waited for before the first line
TURN = 0.3  # seconds in which lines of several hosts are put in order
WAITING = 10_000  # entries; a host waits where nobody reads them
UNREAD = signal.SIGUSR1  # not SIGINT, to which what a shell starts in its background is deaf
LATEST = 253402300799.0  # seconds since 1970: the last of the year 9999


def read(outcomes: list[Outcome[list[LogLine]]]) -> Page:
    """What the hosts had; the exit code: 0, or 1 where one failed."""
    width = max((len(one.host) for one in outcomes), default=0)
    found = [(one.host, line) for one in outcomes for line in one.result or ()]
    found.sort(key=lambda pair: pair[1].at)
    failed = [_lost(one.host, one.error, one.fix) for one in outcomes if one.error]
    cut = [one.host for one in outcomes if len(one.result or ()) == MOST]
    none = [one.host for one in outcomes if not (one.error or one.result)]
    few = [("note", host, f"only the last {MOST} lines", "give a later --since") for host in cut]
    return Page(
        [_text(host, line, width) for host, line in found],
        {},
        once([*of.errors(outcomes), *few, *(("note", host, *NONE) for host in none)]),
        of.failed(outcomes),
        [*(_record(host, line) for host, line in found), *failed],
    )


def followed(hosts: tuple[str, ...], follow: Callable[[Tell], None]) -> Page:
    """What the hosts had and what comes; the exit code: 0, or 1 where one went away."""
    return _Live((), {}, hosts=hosts, follow=follow)


@dataclass(frozen=True)
class _Live(Page):
    hosts: tuple[str, ...] = ()
    follow: Callable[[Tell], None] = print

    def show(self, as_json: bool) -> int:
        signal.signal(UNREAD, signal.default_int_handler)
        printer = _Printer(self.hosts, as_json)
        thread = threading.Thread(target=printer.run, daemon=True)
        thread.start()
        try:
            self.follow(lambda host, entry: printer.entries.put((host, entry)))
        except KitError as error:
            if error.code != INTERRUPTED:
                raise
        finally:
            printer.over.set()
            thread.join()
        return int(printer.lost)


class _Printer:
    """Puts what several hosts told within a moment in order of time."""

    def __init__(self, hosts: tuple[str, ...], as_json: bool) -> None:
        self.entries: queue.Queue[tuple[str, Entry]] = queue.Queue(WAITING)
        self.over, self.lost = threading.Event(), False
        self._waiting, self._as_json = {*hosts}, as_json
        self._width = max(map(len, hosts), default=0)
        self._held: list[tuple[str, Entry]] = []
        self._read = True  # somebody reads what is printed

    def run(self) -> None:
        begin = monotonic() + PATIENCE
        while True:
            over = self.over.is_set()
            self._take()
            if over or not self._waiting or monotonic() > begin or len(self._held) > WAITING:
                self._show()
            if over and self.entries.empty():
                return

    def _take(self) -> None:
        end = monotonic() + TURN
        while (
            (left := end - monotonic()) > 0 and not self.over.is_set()
        ) or not self.entries.empty():
            try:
                host, entry = self.entries.get(timeout=max(left, 0.01))
            except queue.Empty:
                return
            self._held.append((host, entry))
            if not isinstance(entry, LogLine):
                self._waiting.discard(host)
            if len(self._held) > WAITING:
                return

    def _show(self) -> None:
        held, self._held = self._held, []
        lines = [(host, one) for host, one in held if isinstance(one, LogLine)]
        for host, line in sorted(lines, key=lambda pair: pair[1].at):
            self._print(_record(host, line) if self._as_json else _text(host, line, self._width))
        for host, entry in held:
            if isinstance(entry, KitError):
                self.lost = True
                if self._as_json:
                    self._print(_lost(host, entry.what, entry.fix))
                for text in () if self._as_json else once([("error", host, entry.what, entry.fix)]):
                    note(text)

    def _print(self, one: str | dict[str, object]) -> None:
        if not self._read:
            return
        try:
            print(
                one if isinstance(one, str) else json.dumps({"schema": SCHEMA, **one}), flush=True
            )
        except OSError:
            self._read = False
            discard(1)
            # A signal, which wakes it from whatever it waits for.
            signal.pthread_kill(threading.main_thread().ident or 0, UNREAD)


def _text(host: str, line: LogLine, width: int) -> str:
    return f"{host:<{width}}  {_when(line, ' ', 'seconds'):<20}  {in_one_line(line.text)}".rstrip()


def _record(host: str, line: LogLine) -> dict[str, object]:
    job = int(line.job) if line.job.isdigit() else None
    when = _when(line, "T", "microseconds")
    return {"host": host, "time": when or None, "level": line.level, "job": job, "text": line.text}


def _lost(host: str, what: str, fix: str) -> dict[str, object]:
    return {"host": host, "error": what, "fix": advice(fix, host) or None}


def _when(line: LogLine, between: str, exact: str) -> str:
    """The time in UTC; "" of what has none."""
    seconds, part = line.at
    if not part:
        return ""
    found = datetime.fromtimestamp(min(seconds + float(part), LATEST), UTC)
    return found.isoformat(between, exact).removesuffix("+00:00") + "Z"
