"""A run's hold on a host: the lock, as which operation it is held, and who is waited for."""

from runnerkit.errors import KitError
from runnerkit.events import Phase, Tell
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

    @property
    def lost(self) -> KitError | None:
        """Why the run has no longer what it took."""
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
        return lock.alone(change.text, self._lock.owner if self._lock else "")

    def close(self) -> None:
        """Let others at the host."""
        if self._lock:
            self._lock.close()
        self._lock = None

    def _waiting(self, whom: str) -> None:
        self._tell(Phase(f"waiting for {whom}"))
