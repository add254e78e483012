"""A host that can be looked at and written to: the machine, its engine and GitLab behind one face."""

import shlex
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from runnerkit.checks.engine import engine_runs
from runnerkit.checks.finding import Finding
from runnerkit.errors import KitError
from runnerkit.events import Detail, Ended, Tell
from runnerkit.facts import Facts, ServerRunner
from runnerkit.files import config_toml
from runnerkit.fleet import obstacles
from runnerkit.fleet.engine_side import EngineSide
from runnerkit.fleet.gitlab_side import accepted
from runnerkit.fleet.hold import Hold
from runnerkit.fleet.mirrors.side import MirrorSide
from runnerkit.machine import lock, login, sudo
from runnerkit.machine.failure import Failed, ScriptFailed
from runnerkit.machine.machine import Machine
from runnerkit.machine.sudo import NeedsPassword
from runnerkit.plan import Build, Change, Hint, Load, Pull, Script, ServerCall, hint
from runnerkit.redact import mask, plain
from runnerkit.settings import tokens
from runnerkit.settings.secrets import Secret
from runnerkit.want import Want

if TYPE_CHECKING:
    import docker

    from runnerkit.gitlab.server import Server

AT_ONCE = 4  # pulls or builds on a host


class Host:
    """Implements converge's Reader and Writer; `changes` are those that it made.

    Args:
        machine: the host.
        token: GitLab's API token, where there is one.
        tell: told what goes on.
        name: what the run calls it.
        hold: the run's on the host, where it may change things.
    """

    def __init__(
        self, machine: Machine, token: Secret | None, tell: Tell, name: str = "",
        hold: Hold | None = None,
    ) -> None:  # fmt: skip
        self.machine, self.tell, self._token, self.name = machine, tell, token, name
        self.hold = hold or Hold(machine, tell)
        self.changes: list[Change] = []
        self._minted: dict[str, Secret] = {}
        self._engine, self.mirror_side = EngineSide(machine, tell), MirrorSide(machine, tell)
        self.mirrors = self.mirror_side.known
        self._gitlab: Server | None = None

    def look(self, script: str, hints: Iterable[Hint] = ()) -> str:
        try:
            try:
                return self.machine.run(script)
            except NeedsPassword:
                self.machine.password = sudo.ask(self.machine.user, self.machine.where())
                return self.machine.run(script)
        except Failed as error:
            if engine_runs.MISSING.search(error.stderr):
                raise engine_runs.ABSENT.found().error() from None
            known = hint(plain(error.stderr), (*hints, *login.HINTS))
            why = error.why(known.pattern)
            raise KitError(f"looking at the host failed: {why}", known.fix) from None

    def server(self, want: Want, have: Facts) -> Facts:
        have = replace(have, tokens=accepted(want, have))
        if not self._token:
            return have
        gitlab, found = self._server(want), {}
        have = replace(have, key=self.machine.key)
        for runner in want.runners:
            known = None
            if config_toml.entry_index(want, have, runner) is not None:
                known = self._of_token(want, have, config_toml.token(want, have, runner))
            elif not runner.token:
                known = gitlab.find(runner, runner.name(have.hostname), runner.note(have.identity))
            if known:
                found[runner.key] = known
        return replace(have, server=found)

    def renewed(self, want: Want, have: Facts) -> Facts:
        """With those runners, too, of which the settings give a former token: to tell of, not to change."""
        found = dict(have.server)
        for runner in want.runners if self._token else ():
            token = config_toml.entry_token(want, have, runner)
            if runner.key not in found and (known := self._of_token(want, have, token)):
                found[runner.key] = known
        return replace(have, server=found)

    def manager_status(self, want: Want, have: Facts, number: int) -> str:
        """How GitLab sees the host's manager of a runner; "" where it does not say."""
        manager = config_toml.system_id(want, have) if self._token else ""
        return self._server(want).manager(number, manager) if manager else ""

    def lock(self) -> None:
        self.hold.take()

    def expect(self, pending: list[Change]) -> None:
        self._engine.ahead.expect(pending)

    def obstacles(self, want: Want, pending: list[Change]) -> list[Finding]:
        server = partial(self._server, want) if self._token else None
        return list(obstacles.findings(self.machine, server, want, pending))

    def write(self, want: Want, batch: list[Change]) -> None:
        """Make changes that do not wait for each other; all are tried before the first error."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            futures = [pool.submit(self._write, want, change, len(batch) > 1) for change in batch]
        pairs = [(one, future.exception()) for one, future in zip(batch, futures, strict=True)]
        self.changes += [one for one, error in pairs if not error]
        others = [pair for pair in pairs if not isinstance(pair[0], Script)]
        self.hold.record([(int(bool(error)), one.title) for one, error in others])
        errors = [error for _, error in pairs if error]
        known = [error for error in errors if isinstance(error, KitError)]
        if len(known) == len(errors) > 1:
            raise KitError("\n  ".join(error.what for error in known), known[0].fix)
        if errors:
            raise errors[0]

    def script(self, want: Want, change: Script) -> str:
        """Run a script while no other of the kit's goes on, and return what it printed.

        Raises:
            KitError: it failed; with the hint that fits what it said.
        """
        text = self.hold.alone(change)
        if change.token:
            runner = next(r for r in want.runners if r.key == change.token)
            token = runner.token or self._minted.get(runner.key) or runner.registration_token
            if token is None:
                raise KitError(f"{change.title}: no token", "run again")
            word = shlex.quote(tokens.required(token, f"runner {runner.key}'s token").reveal())
            text = f"TOKEN={word}\n{text}"
        if change.address:
            from runnerkit.engine import certificate

            text = f"{certificate.variables(change.address)}\n{text}"
        try:
            if change.supply:
                self._engine.supply(change.supply)
            return self.machine.run(text, self._heard)
        except Failed as error:
            known = hint(mask(plain(error.stderr)), (*lock.HINTS, *change.hints))
            why = mask(error.why(known.pattern))
            raise ScriptFailed(error.exited, f"{change.title}: {why}", known.fix) from None

    def _heard(self, line: str) -> None:
        self.hold.heard(line)
        self.tell(Detail(mask(plain(line)), lasting=line.startswith("note: ")))

    @property
    def engine(self) -> "docker.APIClient":
        return self._engine.client

    def close(self) -> None:
        self._engine.close()
        self.hold.close()
        self.machine.close()

    def _of_token(self, want: Want, have: Facts, token: Secret | None) -> ServerRunner | None:
        """GitLab's side of a runner of the host: GitLab says which, by its token; never the host."""
        manager = config_toml.system_id(want, have)
        number = self._server(want).whose(token, manager) if token and manager else None
        return self._server(want).get(number) if number else None

    def _write(self, want: Want, change: Change, beside: bool) -> None:
        self.hold.check()
        match change:
            case Script():
                self.script(want, change)
            case Pull() | Build() | Load():
                self._engine.make(want, change, beside)
            case ServerCall(action="update"):
                self._server(want).update(change.id, change.data)
            case ServerCall(action="delete"):
                self._server(want).delete(change.id)
            case ServerCall(action="reset"):
                self._minted[change.runner] = self._server(want).reset(change.id)
            case ServerCall():
                self._minted[change.runner] = self._server(want).create(change.data)
        self.tell(Ended(change.title))

    def _server(self, want: Want) -> "Server":
        if self._gitlab is None:
            from runnerkit.gitlab.server import Server

            assert self._token is not None
            self._gitlab = Server(want.url, self._token, ca=want.network.ca)
        return self._gitlab
