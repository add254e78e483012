"""Hosts on their way to other images: who goes first, who is spared when one fails."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from runnerkit.errors import KitError
from runnerkit.fleet.host import Host
from runnerkit.fleet.run import Fleet, Outcome, Unfinished
from runnerkit.plan import Change
from runnerkit.want import Want

UPGRADED, SAME, PENDING, READY = "upgraded", "ok", "pending", "ready"
BACK, KEPT, SPARED = "put back", "as it was", "not begun"


@dataclass(frozen=True)
class Standing:
    """Where a host stands between two images; `pending` is what a dry run would change, `drained`
    whether somebody has drained the host, so that nothing was started."""

    state: str
    old: str = ""
    new: str = ""
    pending: tuple[Change, ...] = ()
    drained: bool = False


@dataclass
class Rollout:
    """Hosts on their way to other images: `wanted` is what each should be, by its name."""

    fleet: Fleet
    wanted: dict[str, Want]
    dry: bool = False
    outcomes: dict[str, Outcome[Standing]] = field(default_factory=dict)
    failed: str = ""

    def names(self, state: str) -> list[str]:
        """The hosts that stand so, and did not fail."""
        good = {name: one.result for name, one in self.outcomes.items() if not one.error}
        return [name for name, result in good.items() if result and result.state == state]

    def each(self, names: list[str], work: Callable[[Host, Want], Standing]) -> None:
        """Do a work on these hosts, unless another has failed for good meanwhile."""
        stop = self.fleet.pace.stop_on_failure

        def one(host: Host, want: Want) -> Standing:
            known = self.outcomes.get(host.name)
            if self.failed and known and known.result:
                raise self._spared(known.result)
            try:
                return work(host, want)
            except KitError as error:
                ended = isinstance(error, Unfinished) and error.result.state == BACK
                self.failed = self.failed or host.name * (stop or ended)
                if isinstance(error, Unfinished) or not known or not known.result:
                    raise
                raise Unfinished(error, replace(known.result, state=KEPT)) from None

        targets = [target for target in self.fleet.targets if target.name in names]
        pace = replace(self.fleet.pace, stop_on_failure=False)
        for outcome in replace(self.fleet.only(*targets), pace=pace).each(self.wanted, one):
            before = self.outcomes.get(outcome.host)
            if before:
                outcome.changes = [*before.changes, *outcome.changes]
                outcome.seconds += before.seconds
                outcome.execs += before.execs
                outcome.result = outcome.result or before.result
            self.outcomes[outcome.host] = outcome

    def spare(self) -> None:
        """Tell of the hosts that are ready that they are left as they are."""
        for name in self.names(READY):
            known = self.outcomes[name]
            assert known.result
            error = self._spared(known.result)
            spared = replace(known, result=error.result, error=error.what, fix=error.fix)
            self.outcomes[name] = spared

    def _spared(self, known: Standing) -> Unfinished[Standing]:
        error = KitError(
            f"not begun, as {self.failed} failed",
            "mend that one, then run again: it goes on from here",
        )
        return Unfinished(error, replace(known, state=SPARED))
