"""Many hosts side by side: every one finishes, and one outcome each is left to report."""

import math
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import TYPE_CHECKING, Generic, TypeVar

from invoke.context import Context

from runnerkit.errors import INTERRUPTED, KitError
from runnerkit.events import Listener, Phase, of_host
from runnerkit.fleet.hold import Hold
from runnerkit.fleet.host import Host
from runnerkit.fleet.operation import Operation
from runnerkit.machine import local, sudo
from runnerkit.machine.machine import Machine
from runnerkit.plan import Change
from runnerkit.settings.model import Settings
from runnerkit.settings.secrets import Secret
from runnerkit.settings.targets import Target
from runnerkit.want import Want

if TYPE_CHECKING:
    from runnerkit.machine.ssh.connection import Routes

AT_ONCE = 20
LOCAL = "local"
RESUMED = "mend that one, then run again with --only-failed"
SPARED = "not begun, as {} failed and --stop-on-failure was given"
LATE = "no answer within {:.0f} s; it was not waited for"
SEE = "look at the host itself: its load, its disk, docker info there"
R = TypeVar("R")


class Unfinished(KitError, Generic[R]):
    """The work failed when it had come to a result, which is told as well."""

    def __init__(self, error: KitError, result: R) -> None:
        super().__init__(error.what, error.fix)
        self.result = result


@dataclass
class Outcome(Generic[R]):
    """What became of a host: the verb's own `result`, or `error` and `fix` where it failed.

    `changes` are those that were made, also where a later one failed; `execs` the commands that
    were run on the host. `notes` are told whatever the verb.
    """

    host: str
    result: R | None = None
    changes: list[Change] = field(default_factory=list)
    error: str = ""
    fix: str = ""
    seconds: float = 0.0
    execs: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Pace:
    """How many hosts are changed at a time, whether those not begun are spared once one failed, and
    whether one that another run holds is waited for."""

    at_once: int = AT_ONCE
    stop_on_failure: bool = False
    wait: bool = False


@dataclass(frozen=True)
class Fleet:
    """Hosts to work on, how they are reached, who is told what goes on there, and what for."""

    targets: tuple[Target, ...]
    settings: Settings
    listener: Listener
    accept_new_host_keys: bool = False
    pace: Pace = Pace()
    operation: Operation = field(default_factory=Operation)

    def only(self, *targets: Target) -> "Fleet":
        """The same for other hosts."""
        return replace(self, targets=targets)

    def each(
        self,
        wants: Mapping[str, Want],
        work: Callable[[Host, Want], R],
        token: Secret | None = None,
        limit: float | None = None,
        at_once: int | None = None,
    ) -> list[Outcome[R]]:
        """Do one work on every host side by side.

        Args:
            wants: what each should be, by its name.
            work: what is done on a host.
            token: GitLab's API token, where the work needs one.
            limit: seconds that a host is waited for, for work that changes nothing.
            at_once: hosts that are worked on at a time; as the fleet's pace has it if not given.
        """
        open_hosts: dict[str, Host] = {}
        failed: list[str] = []
        routes = self._routes()

        def one(target: Target) -> Outcome[R]:
            outcome, start, host = Outcome[R](target.name), monotonic(), None
            tell = of_host(self.listener, target.name)
            if failed and self.pace.stop_on_failure:
                return replace(outcome, error=SPARED.format(failed[0]), fix=RESUMED)
            try:
                tell(Phase("connecting"))
                machine = Machine(_context(routes, target), target.password)
                hold = Hold(machine, tell, self.operation, self.pace.wait)
                host = Host(machine, token, tell, target.name, hold)
                open_hosts[target.name] = host
                outcome.result = work(host, wants[target.name])
            except Exception as error:
                _explain(outcome, (host and host.hold.lost) or error)
            finally:
                if host:
                    outcome.changes, outcome.execs = host.changes, host.machine.execs
                    outcome.notes = host.hold.notes
                    host.close()
            outcome.seconds = monotonic() - start
            failed.extend([target.name] * bool(outcome.error))
            return outcome

        def late(target: Target, future: Future[Outcome[R]]) -> Outcome[R]:
            future.cancel()
            if host := open_hosts.get(target.name):
                host.close()  # its thread ends with its connection
            return Outcome(target.name, error=LATE.format(limit), fix=SEE, seconds=limit or 0)

        if not self.targets:
            return []
        pool = ThreadPoolExecutor(min(at_once or self.pace.at_once, len(self.targets)))
        try:
            futures = [pool.submit(one, target) for target in self.targets]
            wait(futures, limit and limit * math.ceil(len(futures) / AT_ONCE))
            return [
                future.result() if future.done() else late(target, future)
                for target, future in zip(self.targets, futures, strict=True)
            ]
        except KeyboardInterrupt:
            for host in open_hosts.values():  # their threads end so, as does the lock
                host.close()
            if routes:
                routes.close()
            on = ": it goes on from where it was" if self.operation.verb else ""
            end = KitError("interrupted", f"run it again{on}", INTERRUPTED)
            sudo.interrupted(end)
            raise end from None
        finally:
            pool.shutdown(wait=not limit, cancel_futures=True)
            if routes:
                routes.close()

    def _routes(self) -> "Routes | None":
        if all(target.address == LOCAL for target in self.targets):
            return None
        from runnerkit.machine.ssh.connection import Routes

        return Routes(self.settings.ssh.known_hosts, self.accept_new_host_keys)


def _explain(outcome: Outcome[R], error: Exception) -> None:
    if isinstance(error, KitError):
        outcome.error, outcome.fix = error.what, error.fix
        if isinstance(error, Unfinished):
            outcome.result = error.result
    else:  # a bug of the kit's; the other hosts still finish
        last = traceback.extract_tb(error.__traceback__)[-1]
        outcome.error = f"{type(error).__name__}: {error} ({last.name}:{last.lineno})"
        outcome.fix = "this is a bug in runnerkit: please report it with this line"


def _context(routes: "Routes | None", target: Target) -> Context:
    if routes is None or target.address == LOCAL:
        return local.context()
    return routes.connection(target.address, target.identity)  # type: ignore[no-any-return]  # Fabric is untyped
