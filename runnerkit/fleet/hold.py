"""A run's hold on a host: the lock, and what the host's audit trail is told of the operation."""

from collections.abc import Sequence

from runnerkit.errors import KitError
from runnerkit.events import Phase, Tell
from runnerkit.files import audit
from runnerkit.fleet.operation import Operation
from runnerkit.machine import lock
from runnerkit.machine.machine import Machine
from runnerkit.plan import Script


class Hold:
    """The hold of one run on one host; nothing is held before `take`.

    Args:
        machine: the host.
        tell: told who is waited for.
        operation: what the run is.
        wait: for another run that holds the host.
    """

    def __init__(
        self, machine: Machine, tell: Tell, operation: Operation | None = None, wait: bool = False
    ) -> None:
        self._machine, self._tell, self._wait = machine, tell, wait
        self._operation = operation or Operation()
        self._lock: lock.Lock | None = None
        self.notes: list[str] = []

    @property
    def lost(self) -> KitError | None:
        """Why the run has no longer what it took; None where its own errors tell."""
        return self._lock.lost if self._lock else None

    def take(self) -> None:
        """Lock the host, if it is not locked by this run.

        Raises:
            KitError: another run holds it.
        """
        if self._lock:
            return
        whose = lock.whose(self._operation.operator, self._operation.verb)
        self._lock = lock.take(self._machine, whose, self._waiting, self._wait)

    def check(self) -> None:
        """Raise a KitError where the run may have lost what it took."""
        if self._lock:
            self._lock.check()

    def alone(self, change: Script) -> str:
        """The script of a change: nothing else of the kit's goes on beside it.

        Raises:
            KitError: the run has lost its hold.
        """
        self.check()
        text = lock.alone(change.text, self._lock.owner if self._lock else "")
        if not (change.recorded and self._lock and self._operation.verb):
            return text  # a look, or a machine image, which has no past
        return audit.recorded(text, change.title, self._operation.known())

    def record(self, made: Sequence[audit.Line]) -> None:
        """Tell the audit trail of changes that no script of theirs has told it of.

        Args:
            made: their titles, with an exit code each.
        """
        if not (made and self._lock and self._operation.verb):
            return
        if not (self._lock.lost or self._lock.broke):
            text = audit.lines(made, self._operation.known())
            try:
                self._machine.run(lock.alone(text, self._lock.owner), self.heard)
            except KitError as error:
                self.notes.append(f"{audit.UNWRITTEN}: {error.what}")

    def heard(self, line: str) -> None:
        """Note a line of a script's output where it says that the trail cannot be written."""
        if line.startswith(audit.UNWRITTEN) and line not in self.notes:
            self.notes.append(line)

    def close(self) -> None:
        """Let others at the host."""
        if self._lock:
            self._lock.close()
        self._lock = None

    def _waiting(self, whom: str) -> None:
        self._tell(Phase(f"waiting for {whom}"))
