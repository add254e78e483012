"""The two calls about a running job, with the job's own token."""

from collections.abc import Mapping

from .. import log
from .http_client import Answer
from .runner_api import RunnerApi, info

OUTCOMES = {200: "ok", 202: "ok", 403: "job failed", 412: "trace validation failed"}


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
        span = f"{start}-{start + len(content) - 1}"
        headers = {"JOB-TOKEN": self._token, "Content-Type": "text/plain", "Content-Range": span}
        uri = f"{self._uri}/trace?debug_trace=false"
        answer = self._api.client.call("PATCH", uri, content, headers)
        return self._logged("Appending trace to coordinator...", answer)

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
        answer = self._api.client.call("PUT", self._uri, body, {"JOB-TOKEN": self._token})
        return self._logged("Submitting job to coordinator...", answer)

    def _logged(self, base: str, answer: Answer) -> Answer:
        say = log.info if answer.status in {200, 202} else log.warning
        outcome = OUTCOMES.get(answer.status, "failed")
        say(f"{base} {outcome}", **self._fields, code=answer.status, status=answer.text)
        return answer
