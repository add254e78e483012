"""The coordinator's calls about a runner, with the log lines of the real program."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from .. import log, version
from ..config.keys import NEVER
from ..table import Table
from .http_client import Answer, Client

FEATURES = ("variables", "image", "masking", "trace_checksum", "trace_size", "two_phase_job_commit")


def is_created(token: str) -> bool:
    """A token of a runner that was created first, in the UI or by the API."""
    return token.startswith("glrt-")


def info(runner: Table) -> dict[str, object]:
    return {
        "name": version.NAME,
        "version": version.VERSION,
        "revision": version.REVISION,
        "platform": "linux",
        "architecture": version.ARCH,
        "executor": runner.text("executor"),
        "shell": runner.text("shell", "bash"),
        "features": dict.fromkeys(FEATURES, True),
    }


class RunnerApi:
    """One runner's credentials towards its server."""

    def __init__(self, runner: Table, config_file: Path) -> None:
        self.runner = runner
        certificates = config_file.parent / "certs"
        self.client = Client(runner.text("url"), runner.text("tls-ca-file"), certificates)
        self._last_update = ""

    @property
    def token(self) -> str:
        return self.runner.text("token")

    @property
    def fields(self) -> dict[str, object]:
        """What the log says of it."""
        return {"runner": log.short(self.token)}

    def register(self, parameters: Mapping[str, object]) -> Table | None:
        answer = self._call("POST", "runners", {"info": info(Table()), **parameters})
        return self._outcome(
            "Registering runner...", answer, 201, "forbidden (check registration token)"
        )

    def verify(self, system_id: str) -> Table | None:
        """The server's word on the token: None is a refusal, {} is no answer at all."""
        body = {"system_id": system_id, "info": info(self.runner)}
        answer = self._call("POST", "runners/verify", body)
        base, created = "Verifying runner...", is_created(self.token)
        if answer.status == 200:
            log.info(f"{base} is {'valid' if created else 'alive'}", **self.fields)
            return answer.data
        if answer.status == 403 and created:
            log.info(f"{base} is not valid", **self.fields)
            return None
        word = "is removed" if answer.status == 403 else "failed"
        log.error(f"{base} {word}", **self.fields, status=answer.text)
        return None if answer.status == 403 else Table()

    def unregister(self, system_id: str) -> bool:
        """Remove this manager of a created runner, or the whole of an old one."""
        if is_created(self.token):
            base = "Unregistering runner manager from GitLab"
            answer = self._call("DELETE", "runners/managers", {"system_id": system_id})
        else:
            base = "Unregistering runner from GitLab"
            answer = self._call("DELETE", "runners", {})
        return self._outcome(base, answer, 204, "forbidden") is not None

    def reset_token(self, access_token: str = "") -> bool:
        """A new token into the entry, by its own or an administrator's; saving is the caller's."""
        which = f"/{self.runner.number('id')}" if access_token else ""
        headers = {"PRIVATE-TOKEN": access_token} if access_token else {}
        uri = f"runners{which}/reset_authentication_token"
        answer = self.client.call("POST", uri, {"token": self.token}, headers)
        base = "Resetting runner authentication token..."
        data = self._outcome(base, answer, 201, "failed (check used token)")
        if data is not None:
            self.adopt(data)
        return data is not None

    def adopt(self, data: Table) -> None:
        """The token of an answer, and how long it lives, into the entry."""
        self.runner["token"] = data.text("token", self.token)
        self.runner["token_obtained_at"] = datetime.now(UTC).replace(microsecond=0)
        expiry = data.text("token_expires_at")
        self.runner["token_expires_at"] = datetime.fromisoformat(expiry) if expiry else NEVER

    def request_job(self, system_id: str) -> tuple[Table | None, bool]:
        """The next job, if there is one, and whether the runner is in good health."""
        body: dict[str, object] = {"system_id": system_id, "info": info(self.runner)}
        if self._last_update:
            body["last_update"] = self._last_update
        answer = self._call("POST", "jobs/request", body, held=True)
        self._last_update = answer.headers.get("X-GitLab-Last-Update", "") or self._last_update
        base = "Checking for jobs..."
        if answer.status == 201:
            log.info(f"{base} received", **self.fields, job=answer.data.number("id"))
            return answer.data, True
        if answer.status == 403:
            log.error(f"{base} forbidden", **self.fields, status=answer.text)
        elif answer.status != 204 and "context canceled" not in answer.text:
            log.warning(f"{base} failed", **self.fields, status=answer.text)
        return None, answer.status != 403

    def _call(
        self, method: str, uri: str, body: Mapping[str, object], held: bool = False
    ) -> Answer:
        headers = {"RUNNER-TOKEN": self.token}
        return self.client.call(method, uri, {"token": self.token, **body}, headers, held)

    def _outcome(self, base: str, answer: Answer, success: int, forbidden: str) -> Table | None:
        if answer.status == success:
            log.info(f"{base} succeeded", **self.fields)
            return answer.data
        word = forbidden if answer.status == 403 else "failed"
        log.error(f"{base} {word}", **self.fields, status=answer.text)
        return None
