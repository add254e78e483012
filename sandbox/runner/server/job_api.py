"""The two calls about a running job, with the job's own token."""

from collections.abc import Mapping

from .. import log
from .http_client import Answer
from .runner_api import RunnerApi, info


def over(answer: Answer) -> bool:
    """Whether the server has no more use for the job."""
    return answer.status == 403 or answer.headers.get("Job-Status") in {"failed", "canceled"}


class JobApi:
    def __init__(self, api: RunnerApi, job_id: int, token: str) -> None:
        self._api = api
        self._uri = f"jobs/{job_id}"
        self._token = token
        self._fields: dict[str, object] = {**api.fields, "job": job_id}

    def patch(self, content: bytes, start: int) -> Answer:
        """The next piece of the log, which starts at that byte."""
        sent = f"{start}-{start + len(content) - 1}"
        answer = self._api.client.call(
            "PATCH",
            f"{self._uri}/trace?debug_trace=false",
            content,
            {"JOB-TOKEN": self._token, "Content-Type": "text/plain", "Content-Range": sent},
        )
        words = {202: "ok", 403: "job failed", 416: "range mismatch"}
        self._log("Appending trace to coordinator...", answer, words, **{"sent-log": sent})
        return answer

    def update(self, state: str, output: Mapping[str, object], **more: object) -> Answer:
        """Say that the job runs, or how it ended and what its whole log adds up to."""
        body = {
            "info": info(self._api.runner),
            "token": self._token,
            "state": state,
            "output": output,
            "checksum": output.get("checksum", ""),
            **{key: value for key, value in more.items() if value},
        }
        log.info("Updating job...", **self._fields, **output)
        answer = self._api.client.call("PUT", self._uri, body, {"JOB-TOKEN": self._token})
        words = {
            200: "ok",
            202: "accepted, but not yet completed",
            403: "job failed",
            412: "trace validation failed",
        }
        self._log("Submitting job to coordinator...", answer, words, **output)
        return answer

    def _log(self, base: str, answer: Answer, words: Mapping[int, str], **fields: object) -> None:
        say = log.info if answer.status in {200, 202} else log.warning
        status = {"code": answer.status, "job-status": answer.headers.get("Job-Status", "")}
        say(f"{base} {words.get(answer.status, 'failed')}", **self._fields, **fields, **status)
