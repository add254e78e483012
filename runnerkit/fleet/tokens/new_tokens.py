"""Turns taken: new tokens made, and put on the hosts."""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from runnerkit import converge
from runnerkit.actions.rotate import Rotate
from runnerkit.checks.gitlab import acceptance
from runnerkit.errors import KitError, NotConverged
from runnerkit.events import Began, Ended, of_host
from runnerkit.facts import Facts
from runnerkit.files import config_toml
from runnerkit.fleet.host import Host
from runnerkit.fleet.run import Fleet, Outcome
from runnerkit.fleet.tokens import rotations
from runnerkit.fleet.tokens.turns import Held, Turn
from runnerkit.settings import tokens
from runnerkit.settings.secrets import Secret
from runnerkit.want import Want, WantedRunner

if TYPE_CHECKING:
    from runnerkit.gitlab.server import Server

TRIES = 3  # of a host whose config.toml somebody else writes at the same time


@dataclass(frozen=True)
class Rotated:
    """What was done, or in a dry run would be, with the tokens of a host's runners, by their names; and
    whether the manager says that GitLab accepts them (None: it does not run)."""

    tokens: Mapping[str, str] = field(default_factory=dict)
    verified: bool | None = None


@dataclass
class Run:
    """What is done, turn by turn."""

    fleet: Fleet
    wants: Mapping[str, Want]
    url: str
    token: Secret | None
    server: "Server | None"
    outcomes: dict[str, Outcome[Rotated]]

    def do(self, planned: tuple[Turn, ...]) -> None:
        for turn in planned:
            if turn.way == "reset":
                self._reset(turn)
        self._renew([turn for turn in planned if turn.way == "renew"])
        rotates: dict[str, list[Rotate]] = defaultdict(list)
        for turn in planned:
            for host, one in turn.hosts.items():
                if turn.token:
                    number = 0 if turn.way == "reset" else one.number
                    rotates[host].append(
                        Rotate(_with(one.runner, turn.token), one.token, False, number)
                    )
        done = self._each(rotates)
        for turn in planned:
            if turn.number and done.keys() & turn.hosts.keys():
                rotations.end(self.url, turn.number)

    def _reset(self, turn: Turn) -> None:
        assert self.server
        first, one = next(iter(turn.hosts.items()))
        tell, title = (
            of_host(self.fleet.listener, first),
            f"reset the token of runner {one.name} at GitLab",
        )
        formers = {each.token for each in turn.hosts.values()}
        try:
            for former in formers:
                rotations.begin(self.url, former, turn.number)
            tell(Began(title, 1, 1))
            turn.token = self.server.reset(turn.number)
            tell(Ended(title))
        except KitError as error:
            self._failed(turn.hosts, error)
            with suppress(KitError):
                if one.system_id and self.server.whose(one.token, one.system_id):
                    rotations.end(self.url, turn.number)  # nothing was changed

    def _renew(self, planned: list[Turn]) -> None:
        """By the token itself, on the first host of each runner."""
        firsts = [(next(iter(turn.hosts)), turn) for turn in planned]
        rotates: dict[str, list[Rotate]] = defaultdict(list)
        for host, turn in firsts:
            one = turn.hosts[host]
            rotates[host].append(Rotate(_with(one.runner, one.token), one.token, True))
        done = self._each(rotates)
        for host, turn in firsts:
            if have := done.get(host):
                entries = config_toml.parsed(self.wants[host], have).get("runners", [])
                turn.token = tokens.known(entries[turn.hosts[host].index].get("token"))
            else:
                what = f"runner {turn.runner.key} was given no new token, as {host} failed"
                others = {name: each for name, each in turn.hosts.items() if name != host}
                self._failed(others, KitError(what, "mend that one, then run again"))

    def _each(self, rotates: Mapping[str, list[Rotate]]) -> dict[str, Facts]:
        """Do these on their hosts; what those show at the end."""
        done: dict[str, Facts] = {}

        def work(host: Host, want: Want) -> bool | None:
            own = replace(want, runners=tuple(one.runner for one in rotates[host.name]))
            for rotate in rotates[host.name]:
                have = _apply(host, own, rotate)
            done[host.name] = have
            for finding in acceptance.findings(own, have):
                raise finding.error()
            return True if have.runs(want.manager.container) else None

        chosen = [one for one in self.fleet.targets if one.name in rotates]
        for one in self.fleet.only(*chosen).each(self.wants, work, self.token):
            before = self.outcomes[one.host]
            known = before.result or Rotated()
            self.outcomes[one.host] = Outcome(
                one.host,
                replace(known, verified=one.result),
                [*before.changes, *one.changes],
                one.error or before.error,
                one.fix or before.fix,
                before.seconds + one.seconds,
                before.execs + one.execs,
            )
        return done

    def _failed(self, hosts: Mapping[str, Held], error: KitError) -> None:
        for host in hosts:
            self.outcomes[host] = replace(self.outcomes[host], error=error.what, fix=error.fix)


def _with(runner: WantedRunner, token: Secret) -> WantedRunner:
    return replace(runner, token=token)


def _apply(host: Host, want: Want, rotate: Rotate) -> Facts:
    """Apply, again where somebody else writes config.toml meanwhile: the manager renews tokens itself."""
    for left in reversed(range(TRIES)):
        try:
            return converge.apply(host, want, (rotate,))
        except KitError as error:
            if not left or not (
                isinstance(error, NotConverged) or "changed meanwhile" in error.what
            ):
                raise
    raise AssertionError
