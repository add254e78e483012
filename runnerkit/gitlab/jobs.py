"""What GitLab tells of a job that a runner had."""

from urllib.parse import quote

import requests

from runnerkit.gitlab import answers
from runnerkit.gitlab.answers import JobAnswer
from runnerkit.gitlab.server import AGAIN, PAGE, Server


class JobServer(Server):
    """GitLab's API, with a token that may read jobs: scope ``read_api`` (or ``api``), of somebody who
    is at least a Reporter in their project."""

    def job(self, project: str, number: int) -> JobAnswer | None:
        """A job; None where it is none of that project, or the token may not see it.

        Args:
            project: its id or its path.
            number: the job's id.
        """
        with self._asking(403, 404):
            found = self._api.http_get(f"/projects/{quote(project, '')}/jobs/{number}", **AGAIN)
            return answers.read(self.url, found, JobAnswer)
        return None

    def trace(self, project: str, number: int) -> str:
        """The job's log; "" where there is none, or the token may not see it."""
        path = f"/projects/{quote(project, '')}/jobs/{number}/trace"
        with self._asking(403, 404):
            found = self._api.http_get(path, raw=True, **AGAIN)
            if isinstance(found, requests.Response):
                return found.content.decode(errors="replace")
        return ""

    def project_of(self, runner: int, number: int) -> str:
        """The id of the project of a job among the last of a runner; "" where it is not among them.

        Args:
            runner: the runner's id.
            number: the job's id.
        """
        query = {"order_by": "id", "sort": "desc", "per_page": PAGE}
        with self._asking(403, 404):
            found = self._api.http_get(f"/runners/{runner}/jobs", query, **AGAIN)
            for one in answers.read(self.url, found, list[JobAnswer]):
                if one.id == number and one.project:
                    return str(one.project.id)
        return ""
