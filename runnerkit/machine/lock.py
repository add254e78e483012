"""The host's lock, held as long as its run is heard of there: one run at a time, whose, and for what.

The run sends a beat every few seconds, and the host answers each. The host gives the lock up after a
minute of silence; the run knows by the last beat that was answered, before that, and changes nothing
more.
"""

import contextlib
import os
import shlex
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from queue import SimpleQueue

from runnerkit.errors import KitError
from runnerkit.machine import streams
from runnerkit.machine.failure import AGAIN, BACK
from runnerkit.machine.machine import Machine
from runnerkit.machine.streams import Pipe
from runnerkit.place import LOCK, LOCKS, PATIENCE, WORK
from runnerkit.plan import Hint
from runnerkit.templates import render

BEAT = 5.0  # seconds
SILENCE = 60  # seconds after which the host gives the lock up
LEASE = (
    50.0  # seconds, from the sending of the last beat that was answered, for which the run has it
)
PAUSE = 5  # seconds
LINE = 4096  # bytes
FOLDER = f"mkdir -p -m 700 {LOCKS}"
HELD = "held by "
LOST = "this run has lost the host's lock"
HINTS = (
    Hint("the host is still busy with", "end that process on the host, then run again"),
    Hint(LOST, BACK),
)
# Of what goes on while this machine sleeps, too.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def script(wait: bool = False, patience: float = PATIENCE, silence: float = SILENCE) -> str:
    """What holds the lock on the host.

    Args:
        wait: for another run, however long it holds it.
        patience: seconds for which a cut-off run's script is waited for.
        silence: seconds without a beat, after which it is given up.
    """
    pause = min(PAUSE, patience)
    return render(
        "take-lock.sh.j2",
        folder=FOLDER,
        lock=LOCK,
        work=WORK,
        wait=wait,
        silence=silence,
        pause=pause,
        tries=int(patience / pause),
    )


class Lock:
    """A host's lock as its run has it.

    Args:
        machine: the host; all that goes on there ends with the lock.
        pipe: from and to the script that holds it.
        owner: what the host knows the run by.
    """

    def __init__(self, machine: Machine, pipe: Pipe, owner: str) -> None:
        self.owner = owner
        self.lost: KitError | None = None
        self.broke: KitError | None = None  # the connection, by itself
        self.lines: SimpleQueue[str] = SimpleQueue()  # what the host says; "" at the end
        self._machine, self._pipe = machine, pipe
        self._sent: deque[float] = deque()
        self._answered = time.clock_gettime(_CLOCK)
        self._over = threading.Event()
        pipe.sendall(f"{owner}\n".encode())
        for work in (self._beat, self._listen):
            threading.Thread(target=work, daemon=True).start()

    def check(self) -> None:
        """Raise a KitError where the run may have lost it."""
        if time.clock_gettime(_CLOCK) - self._answered > LEASE:
            where = self._machine.where()
            silence = f"nothing was heard of the host for {LEASE:.0f} s"
            self._lose(_lost(f"{where}: {silence}, and {LOST}"))
        if why := self.lost or self.broke:
            raise why

    def close(self) -> None:
        self._over.set()
        streams.end(self._pipe)

    def _beat(self) -> None:
        with contextlib.suppress(Exception):  # the connection is gone: nobody answers any more
            while not self._over.wait(BEAT):
                self.check()
                self._sent.append(time.clock_gettime(_CLOCK))
                self._pipe.sendall(b".")

    def _listen(self) -> None:
        with contextlib.suppress(Exception), streams.file(self._pipe) as lines:
            while line := lines.readline(LINE):
                if line == b".\n":
                    self._answered = self._sent.popleft()
                    continue
                text = line.decode(errors="replace").strip()
                if text.startswith(HELD):  # it never was this run's
                    self._over.set()
                self.lines.put(text)
        self.lines.put("")
        if self._over.is_set():
            return
        try:
            if transport := self._machine.transport:
                transport.join(1)  # the thread of one that broke ends, and is known by it
            _ = self._machine.transport
        except KitError as error:  # a connection that broke is the work's own error
            self._over.set()
            self.broke = error
        else:
            self._lose(_lost(f"{self._machine.where()}: {LOST}, which was ended there"))

    def _lose(self, why: KitError) -> None:
        if not self._over.is_set():
            self._over.set()
            self.lost = why
            self._machine.close()


def take(machine: Machine, whose: str, waiting: Callable[[str], None], wait: bool = False) -> Lock:
    """Lock a host; the lock is held until what is returned is closed.

    Args:
        machine: the host.
        whose: who runs what.
        waiting: told whom is waited for: another run, or what a cut-off one left going on there.
        wait: for another run, too.

    Raises:
        KitError: another run holds it; whose.
    """
    owner = f"{whose}, process {os.getpid()} there"
    lock = Lock(machine, machine.open(script(wait, silence=SILENCE)), owner)
    while (line := lock.lines.get()) != "locked":
        if line == "busy":
            waiting("what a cut-off run left going on the host")
        elif line.startswith("waiting for "):
            waiting(line.removeprefix("waiting for "))
        else:
            lock.close()
            raise _refused(machine, line)
    return lock


def whose(operator: str, verb: str) -> str:
    """How others are told whose a lock is."""
    since = f"{operator} since {datetime.now(UTC):%F %T} UTC"
    return f"{since} for {verb}" if verb else since


def _lost(what: str) -> KitError:
    return KitError(what, f"see that the host is well, then {AGAIN}")


def _refused(machine: Machine, line: str) -> KitError:
    _ = machine.transport  # that it broke is the better reason
    if not line:
        return KitError(
            f"the host's lock, {LOCK}, cannot be taken there",
            "see that /run on the host can be written to, and that it has flock (of util-linux)",
        )
    return KitError(
        f"another run holds the host: {line.removeprefix(HELD)}",
        "wait for it to end, --wait does, the lock goes with it; or end it on the host",
    )


def alone(script: str, owner: str = "") -> str:
    """The script, begun when what a cut-off run left going has ended, and seen by the next one.

    Args:
        script: what is run.
        owner: who must still have the host's lock then; "" for a script that needs none.
    """
    busy = f'{{ echo "the host is still busy with $(cat {WORK})" >&2; exit 1; }}'
    mine = f': >{WORK}; echo "a script of process $$ since $(date -u "+%F %T") UTC" >&8'
    begin = f"{FOLDER}; exec 8>>{WORK}; timeout {PATIENCE} flock 8 || {busy}\n{mine}"
    if owner:
        begin += f'\n[ "$(head -n 1 {LOCK})" = {shlex.quote(owner)} ] || {{ echo "{LOST}" >&2; exit 1; }}'
    return f"{begin}\n(\n{script}\n) 8>&-"
