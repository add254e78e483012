"""The coordinator's calls, with the log lines of the real program."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from . import log, naming, version
from .http_client import CLIENT_ERROR, Answer, Client, Credentials
from .keys import NEVER

FEATURES = {
    "variables": True,
    "image": True,
    "services": True,
    "refspecs": True,
    "masking": True,
    "proxy": False,
    "raw_variables": True,
    "artifacts": False,
    "cache": False,
    "upload_multiple_artifacts": False,
    "session": False,
    "terminal": False,
    "return_exit_code": True,
    "service_variables": True,
    "trace_reset": True,
    "trace_checksum": True,
    "trace_size": True,
    "cancelable": True,
    "cancel_gracefully": True,
    "two_phase_job_commit": True,
    "job_inputs": True,
}


def is_created(token: str) -> bool:
    """A token of a runner that was created first, in the UI or by the API."""
    return token.startswith("glrt-")


def info(runner: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": version.NAME,
        "version": version.VERSION,
        "revision": version.REVISION,
        "platform": "linux",
        "architecture": version.ARCH,
        "executor": runner.get("executor", ""),
        "shell": runner.get("shell", "") or "bash",
        "features": FEATURES,
        "config": {"gpus": runner.get("docker", {}).get("gpus", "")},
        "labels": runner.get("labels", {}),
    }


def time_of(value: Any) -> datetime:
    """A time of the server's answer; none means never."""
    return datetime.fromisoformat(value) if value else NEVER


class Api:
    """One runner's credentials towards its server."""

    def __init__(self, runner: Mapping[str, Any], config_file: Path) -> None:
        self.runner = dict(runner)
        self.token = str(runner.get("token", ""))
        self.client = Client(
            Credentials(
                str(runner.get("url", "")),
                self.token,
                str(runner.get("tls-ca-file", "")),
                str(runner.get("tls-cert-file", "")),
                str(runner.get("tls-key-file", "")),
            ),
            config_file.parent / "certs",
        )
        self.fields = {"runner": log.short(self.token)} if self.token else {}
        self._last_update = ""

    def register(self, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
        body = {"token": self.token, "info": info({}), **parameters}
        answer = self._token_call("POST", "runners", body, 201)
        return self._said(
            "Registering runner...", answer, 201, "forbidden (check registration token)"
        )

    def verify(self, system_id: str) -> dict[str, Any] | None:
        """The server's word on the token: None is a refusal, {} is no answer at all."""
        body = {"token": self.token, "system_id": system_id, "info": info(self.runner)}
        answer = self._token_call("POST", "runners/verify", body, 200)
        base = "Verifying runner..."
        if answer.status == 200:
            log.info(f"{base} is {'valid' if is_created(self.token) else 'alive'}", **self.fields)
            return dict(answer.data)
        if answer.status == 403:
            if is_created(self.token):
                log.info(f"{base} is not valid", **self.fields)
            else:
                log.error(f"{base} is removed", **self.fields, status=answer.text)
            return None
        word = "client error" if answer.status == CLIENT_ERROR else "failed"
        log.error(f"{base} {word}", **self.fields, status=answer.text)
        return {}

    def unregister(self, system_id: str) -> bool:
        """Remove this manager of a created runner, or the whole of an old one."""
        base, uri, body = "Unregistering runner from GitLab", "runners", {"token": self.token}
        if is_created(self.token):
            base, uri = "Unregistering runner manager from GitLab", "runners/managers"
            body["system_id"] = system_id
        answer = self._token_call("DELETE", uri, body)
        return self._said(base, answer, 204, "forbidden") is not None

    def reset_token(self, pat: str = "") -> dict[str, Any] | None:
        if pat:
            uri = f"runners/{self.runner.get('id', 0)}/reset_authentication_token"
            answer = self.client.call("POST", uri, None, {"PRIVATE-TOKEN": pat}, expect=201)
        else:
            uri = "runners/reset_authentication_token"
            answer = self.client.call("POST", uri, {"token": self.token}, expect=201)
        base = "Resetting runner authentication token..."
        return self._said(base, answer, 201, "failed (check used token)")

    def request_job(self, system_id: str) -> tuple[dict[str, Any] | None, bool]:
        """The next job, if there is one, and whether the runner is in good health."""
        body = {"info": info(self.runner), "token": self.token, "system_id": system_id}
        if self._last_update:
            body["last_update"] = self._last_update
        answer = self._token_call("POST", "jobs/request", body, 201, cancellable=True)
        self._last_update = answer.headers.get("X-GitLab-Last-Update", "") or self._last_update
        base = "Checking for jobs..."
        if answer.status == 201:
            url, number = naming.clean_url(answer.data), answer.data.get("id")
            log.info(f"{base} received", **self.fields, job=number, repo_url=url)
            return dict(answer.data), True
        if answer.status == 204:
            log.debug(f"{base} no content", **self.fields, status=answer.text)
            return None, True
        if answer.status in {403, CLIENT_ERROR}:
            word = "forbidden" if answer.status == 403 else "client error"
            log.error(f"{base} {word}", **self.fields, status=answer.text)
            return None, False
        if "context canceled" not in answer.text:
            log.warning(f"{base} failed", **self.fields, status=answer.text)
        return None, True

    def _token_call(
        self,
        method: str,
        uri: str,
        body: Mapping[str, Any],
        expect: int | None = None,
        cancellable: bool = False,
    ) -> Answer:
        headers = {"RUNNER-TOKEN": self.token}
        return self.client.call(method, uri, dict(body), headers, expect, cancellable)

    def _said(
        self, base: str, answer: Answer, success: int, forbidden: str
    ) -> dict[str, Any] | None:
        if answer.status == success:
            log.info(f"{base} succeeded", **self.fields)
            return dict(answer.data or {})
        words = {403: forbidden, CLIENT_ERROR: "client error"}
        word = words.get(answer.status, "failed")
        log.error(f"{base} {word}", **self.fields, status=answer.text)
        return None
