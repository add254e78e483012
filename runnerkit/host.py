"""A host that can be looked at and written to: the machine, its engine and GitLab behind one face."""

import getpass
import re
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from runnerkit import config_toml, password
from runnerkit.errors import KitError
from runnerkit.facts import Facts
from runnerkit.machine import Failed, Machine, NeedsPassword, Pipe
from runnerkit.plan import Build, Change, Pull, Script, ServerCall, mask, plain
from runnerkit.secrets import Secret
from runnerkit.want import Want

if TYPE_CHECKING:
    import docker

    from runnerkit.gitlab import Server

# What a cut-off run began goes on without it: a run waits for that before it looks.
WORK = "/run/runnerkit.work"
LOCK = (
    "IFS= read -r owner; exec 9>>/run/runnerkit.lock; "
    'if flock -n 9; then : >/run/runnerkit.lock; echo "$owner" >&9; '
    f"exec 8>>{WORK}; flock -n 8 || {{ echo waiting; flock 8; }}; exec 8>&-; "
    "echo locked; cat >/dev/null; else cat /run/runnerkit.lock; fi"
)


AT_ONCE = 4  # pulls or builds on a host


class Host:
    """Implements converge's Reader and Writer.

    Args:
        machine: the host.
        token: GitLab's API token, where there is one.
        line: told each line of progress within a change.
    """

    def __init__(self, machine: Machine, token: Secret | None, line: Callable[[str], None]) -> None:
        self.machine, self._token, self._line = machine, token, line
        self._minted: dict[str, Secret] = {}
        self._engine: docker.APIClient | None = None
        self._connecting = threading.Lock()
        self._held: Pipe | None = None
        self._server: Server | None = None

    def look(self, script: str) -> str:
        try:
            try:
                return self.machine.run(script)
            except NeedsPassword:
                self.machine.password = password.ask()
                return self.machine.run(script)
        except Failed as error:
            raise KitError(
                f"looking at the host failed: {error.what}",
                "log in as a user whose shell is a POSIX one, and see that /tmp can be written to",
            ) from None

    def server(self, want: Want, have: Facts) -> Facts:
        if not self._token:
            return have
        gitlab, found = self._gitlab(want), {}
        entries = config_toml.parsed(want, have).get("runners", [])
        for runner in want.runners:
            index = config_toml.entry(want, have, runner)
            number = entries[index].get("id") if index is not None else None
            if number:
                known = gitlab.get(number)
            elif index is None and not runner.token:
                known = gitlab.find(runner, runner.name(have.hostname), runner.note(have.identity))
            else:
                known = None
            if known:
                found[runner.key] = known
        return replace(have, server=found)

    def lock(self) -> None:
        if self._held:
            return
        self._held = self.machine.open(LOCK)
        owner = f"{getpass.getuser()}@{socket.gethostname()} since {datetime.now(UTC):%F %T} UTC"
        self._held.sendall(f"{owner}\n".encode())
        answer = self._held.recv(4096).decode(errors="replace").strip()
        if answer == "waiting":
            self._line("waiting for what a cut-off run left going on the host")
            answer = self._held.recv(4096).decode(errors="replace").strip()
        answer = answer.removeprefix("waiting").strip()
        if answer != "locked":
            raise KitError(
                f"another run holds the host: {answer or 'unknown'}",
                "wait for it to end; the lock goes with it",
            )

    def check(self, want: Want, pending: list[Change]) -> None:
        """What can be known to fail before anything is changed."""
        writes = [change.title for change in pending]
        registers = [change for change in pending if isinstance(change, Script) and change.token]
        proxied = any(key.lower().endswith("_proxy") for key in want.manager.environment)
        if registers and not proxied:
            self._reach(want.url, "GitLab", "check --url, and DNS and firewall of the host")
        if self._token and any(isinstance(change, ServerCall) for change in pending):
            self._gitlab(want).check()
        for runner in want.runners:
            if runner.token and any(change.token == runner.key for change in registers):
                from runnerkit.gitlab import check_token

                check_token(want.url, runner.token, f"{runner.spec.token}, runner {runner.key}")
        if any(isinstance(c, Pull) for c in pending) or any("daemon.json" in t for t in writes):
            for mirror in want.docker.registry_mirrors:
                self._reach(mirror, "registry mirror", "correct [docker] registry_mirrors")
        if (
            any(t.startswith("install Docker") for t in writes)
            and "://" in want.docker.package_mirror
        ):
            self._reach(want.docker.package_mirror, "package mirror", "correct package_mirror")

    def write(self, want: Want, batch: list[Change]) -> None:
        """Make changes that do not wait for each other; all are tried before the first error."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            made = [pool.submit(self._write, want, change, len(batch) > 1) for change in batch]
        errors = [error for one in made if (error := one.exception())]
        if len(errors) > 1 and all(isinstance(error, KitError) for error in errors):
            told = [error for error in errors if isinstance(error, KitError)]
            raise KitError("\n  ".join(error.what for error in told), told[0].fix)
        if errors:
            raise errors[0]

    def script(self, want: Want, change: Script) -> str:
        """Run a script while no other of the kit's goes on, and return what it printed.

        Raises:
            KitError: it failed; with the hint that fits what it said.
        """
        text = f"exec 8>>{WORK}; flock 8\n(\n{change.text}\n) 8>&-"
        if change.token:
            runner = next(r for r in want.runners if r.key == change.token)
            token = runner.token or self._minted.get(runner.key) or runner.registration_token
            if token is None:
                raise KitError(f"{change.title}: no token", "run again")
            text = f"TOKEN='{token.reveal()}'\n{text}"
        try:
            return self.machine.run(text, lambda line: self._line(mask(plain(line))))
        except Failed as error:
            said = mask(plain(error.stderr))
            fix = next((h.fix for h in change.hints if re.search(h.pattern, said)), "run again")
            raise KitError(f"{change.title}: {mask(plain(error.what))}", fix) from None

    @property
    def engine(self) -> "docker.APIClient":
        """The host's Docker Engine."""
        from runnerkit import engine

        with self._connecting:
            if self._engine is None:
                self._engine = engine.connect(self.machine)
        return self._engine

    def _write(self, want: Want, change: Change, beside: bool) -> None:
        match change:
            case Script():
                self.script(want, change)
            case Pull() | Build():
                self._build_or_pull(change, beside)
            case ServerCall(action="update"):
                self._gitlab(want).update(change.id, change.data)
            case ServerCall(action="reset"):
                self._minted[change.runner] = self._gitlab(want).reset(change.id)
            case ServerCall():
                self._minted[change.runner] = self._gitlab(want).create(change.data)

    def close(self) -> None:
        if self._engine is not None:
            self._engine.close()
        if self._held:
            self._held.close()
        self.machine.close()

    def _build_or_pull(self, change: Pull | Build, beside: bool) -> None:
        from runnerkit import builder, engine

        name = change.image if isinstance(change, Pull) else change.image.name

        def line(text: str) -> None:
            self._line(f"{name}: {text}" if beside else text)

        try:
            if isinstance(change, Pull):
                engine.pull(self.engine, change, line)
            else:
                builder.build(self.engine, self.machine, change, line)
        except KitError:
            raise
        except Exception as error:
            raise engine.failure(change.title, error) from None

    def _gitlab(self, want: Want) -> "Server":
        if self._server is None:
            from runnerkit.gitlab import Server

            assert self._token is not None
            self._server = Server(want.url, self._token)
        return self._server

    def _reach(self, url: str, what: str, fix: str) -> None:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if not self.machine.reaches(parts.hostname or "", port):
            raise KitError(f"{what} {url} does not answer the host", f"{fix}; nothing was changed")
