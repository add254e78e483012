"""What a person does in GitLab's pages: make a runner, run a job, read its log."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests

from sandbox.errors import SandboxError

ENDED = ("success", "failed", "canceled")


@dataclass(frozen=True)
class Client:
    """The miniature GitLab, as its administrator sees it."""

    url: str
    token: str

    def call(self, method: str, path: str, **body: Any) -> Any:
        """The answer's JSON, or None where it has none."""
        headers = {"PRIVATE-TOKEN": self.token}
        answer = requests.request(
            method, self.url + path, json=body or None, headers=headers, timeout=30
        )
        if not answer.ok:
            raise SandboxError(
                f"{method} {path}: {answer.status_code} {answer.text[:200]}",
                "this is a bug in the sandbox",
            )
        return answer.json() if answer.content else None

    def new_runner(self, description: str, **options: Any) -> str:
        """Make a runner, as "New runner" does, and return the token that is shown once."""
        body = {"runner_type": "instance_type", "description": description, **options}
        return str(self.call("POST", "/api/v4/user/runners", **body)["token"])

    def runners(self, description: str = "") -> list[dict[str, Any]]:
        """The runners there are, with their managers; those of that description if one is given."""
        found: list[dict[str, Any]] = self.call("GET", "/sandbox/state")["runners"]
        return [one for one in found if description in ("", one["description"])]

    def forget_runners(self, description: str) -> None:
        """Delete the runners of that description."""
        for runner in self.runners(description):
            self.call("DELETE", f"/api/v4/runners/{runner['id']}")

    def queue(self, script: list[str], **job: Any) -> int:
        """Queue a job and return its number."""
        return int(self.call("POST", "/sandbox/jobs", script=script, **job)["id"])

    def jobs(self) -> dict[int, dict[str, Any]]:
        """All jobs by number, with their ``state``, ``trace``, ``runner_id`` and ``system_id``."""
        return {job["id"]: job for job in self.call("GET", "/sandbox/state")["jobs"]}

    def job(self, number: int) -> dict[str, Any]:
        """One of them."""
        return self.jobs()[number]

    def follow(self, number: int, timeout: float = 120) -> Iterator[str]:
        """The job's log as it grows, until the job has ended.

        Raises:
            SandboxError: it has not ended within `timeout` seconds.
        """
        shown, limit = 0, time.monotonic() + timeout
        while True:
            job = self.job(number)
            if new := job["trace"][shown:]:
                yield new
                shown += len(new)
            if job["state"] in ENDED:
                return
            if time.monotonic() > limit:
                raise SandboxError(
                    f"job {number} is still {job['state']} after {timeout:.0f} s",
                    "is the manager up? ./inv plan tells",
                )
            time.sleep(0.1)

    def wait(self, number: int, timeout: float = 180) -> dict[str, Any]:
        """The job when it has ended."""
        for _ in self.follow(number, timeout):
            pass
        return self.job(number)
