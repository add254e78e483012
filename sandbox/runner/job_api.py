"""The two calls about a running job, and what their answers mean."""

import email.message
from dataclasses import dataclass
from typing import Any

from . import log
from .api import Api, info
from .http_client import Answer

MAX_INTERVAL = 15 * 60.0


@dataclass(frozen=True)
class Reply:
    """`state` is one of ok, accepted, mismatch, abort, missing, failed."""

    state: str
    offset: int = 0
    canceling: bool = False
    interval: float = 0.0


def read_patch(answer: Answer, start: int, size: int) -> Reply:
    """Where the next bytes start after a PATCH of `size` bytes from `start`."""
    state, offset = "failed", start
    if _ended(answer):
        state = "abort"
    elif answer.status == 202:
        state, offset = "ok", start + size
    elif answer.status == 404:
        state = "missing"
    elif answer.status == 416:
        state, offset = "mismatch", range_end(answer.headers)
    return Reply(state, offset, _canceling(answer), _interval(answer))


def range_end(headers: email.message.Message) -> int:
    """N of `Range: 0-N`: how many bytes the server has."""
    _, _, end = headers.get("Range", "").partition("-")
    return int(end) if end.isdigit() else 0


def read_update(answer: Answer) -> Reply:
    states = {200: "ok", 202: "accepted", 412: "mismatch", 404: "abort", 403: "abort"}
    state = "abort" if _ended(answer) else states.get(answer.status, "failed")
    return Reply(state, 0, _canceling(answer), _interval(answer))


def _ended(answer: Answer) -> bool:
    return answer.status == 403 or answer.headers.get("Job-Status") in {"failed", "canceled"}


def _canceling(answer: Answer) -> bool:
    return answer.headers.get("Job-Status") == "canceling"


def _interval(answer: Answer) -> float:
    text = answer.headers.get("X-GitLab-Trace-Update-Interval", "")
    return min(float(text), MAX_INTERVAL) if text.isdigit() else 0.0


class JobApi:
    """One job towards the server, with the job's own token."""

    def __init__(self, api: Api, job_id: int, token: str) -> None:
        self._api = api
        self.job_id = job_id
        self._token = token
        self._fields: dict[str, object] = {**api.fields, "job": job_id}

    def patch(self, content: bytes, start: int) -> Reply:
        sent = f"{start}-{start + len(content) - 1}"
        answer = self._api.client.call(
            "PATCH",
            f"jobs/{self.job_id}/trace?debug_trace=false",
            content,
            {"JOB-TOKEN": self._token, "Content-Type": "text/plain", "Content-Range": sent},
        )
        reply = read_patch(answer, start, len(content))
        fields = {**self._fields, "sent-log": sent, "code": answer.status, "status": answer.text}
        fields["job-status"] = answer.headers.get("Job-Status", "")
        base = "Appending trace to coordinator..."
        words = {"abort": "job failed", "missing": "not-found", "mismatch": "range mismatch"}
        if reply.state == "ok":
            log.info(f"{base} ok", **fields)
        else:
            log.warning(f"{base} {words.get(reply.state, 'failed')}", **fields)
        return reply

    def update(self, state: str, output: dict[str, Any], **more: Any) -> Reply:
        body = {
            "info": info(self._api.runner),
            "token": self._token,
            "state": state,
            "output": output,
            **{key: value for key, value in more.items() if value},
            **({"checksum": output["checksum"]} if output else {}),
        }
        fields = {**self._fields, **output}
        log.info("Updating job...", **fields)
        headers = {"JOB-TOKEN": self._token}
        answer = self._api.client.call("PUT", f"jobs/{self.job_id}", body, headers)
        reply = read_update(answer)
        base = "Submitting job to coordinator..."
        words = {
            "ok": "ok",
            "accepted": "accepted, but not yet completed",
            "mismatch": "trace validation failed",
            "abort": "job failed",
        }
        fields |= {"code": answer.status, "job-status": answer.headers.get("Job-Status", "")}
        if reply.state in {"abort", "failed"}:
            word = words.get(reply.state, "failed")
            log.warning(f"{base} {word}", **fields, status=answer.text)
        else:
            log.info(f"{base} {words[reply.state]}", **fields)
        return reply
