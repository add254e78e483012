"""GitLab's side of the runners, by python-gitlab."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import gitlab
import requests

from runnerkit.errors import KitError
from runnerkit.facts import ServerManager, ServerRunner, pause
from runnerkit.gitlab import answers
from runnerkit.gitlab.session import session, unreachable
from runnerkit.settings import tokens
from runnerkit.settings.secrets import Secret
from runnerkit.want import MARK, WantedRunner

TIMEOUT = 20  # s
# What passes by itself is tried again, with pauses that double from 0.1 s. Not where a runner is
# created: GitLab may have done so and failed afterwards, and the next run finds that one.
AGAIN: dict[str, Any] = {"retry_transient_errors": True, "max_retries": 6}
SILENT = 40  # runners that are looked at one by one, for a mark that no list shows
PAGE, PAGES = 100, 100  # runners of a page, as many as GitLab gives at most; and pages of a list


class Server:
    """GitLab's API, with a token that may do less than everything.

    Args:
        url: GitLab's address.
        token: a personal, group or project access token: ``api``, or ``create_runner`` (which
            can create but neither see nor change a runner) with ``manage_runner``.
        name: what the token is called.
        ca: certificates, as PEM, by which GitLab is trusted besides.
    """

    def __init__(self, url: str, token: Secret, name: str = "GITLAB_TOKEN", ca: str = "") -> None:
        self.url, self.ca, self._name = url, ca, name
        shared: dict[str, Any] = {"timeout": TIMEOUT, "session": session(url, ca)}
        self._api = gitlab.Gitlab(url, private_token=token.reveal(), **shared)
        self._nobody = gitlab.Gitlab(url, **shared)

    def check(self) -> None:
        """Raise a KitError unless GitLab answers and knows the token."""
        with self._asking(403):  # a create_runner token may not ask, and is fine
            self._api.http_get("/user", **AGAIN)

    def get(self, number: int) -> ServerRunner | None:
        """The runner of that id; None where it is gone or the token may not see it."""
        with self._asking(403, 404):
            found = self._api.http_get(f"/runners/{number}", **AGAIN)
            return answers.read(self.url, found, answers.RunnerAnswer).known
        return None

    def manager(self, number: int, system_id: str) -> str:
        """How GitLab sees a manager of a runner: online, offline, stale, never_contacted; "" where it
        does not say."""
        listed = self.managers(number)
        return next((one.status for one in listed if one.system_id == system_id), "")

    def managers(self, number: int) -> list[ServerManager]:
        """The managers of a runner, the newest; none where the token may not see them."""
        with self._asking(403, 404):
            found = self._api.http_get(f"/runners/{number}/managers", {"per_page": PAGE}, **AGAIN)
            listed = answers.read(self.url, found, list[answers.ManagerAnswer])
            return [one.known for one in listed]
        return []

    def silent(self, most: int = SILENT) -> list[int]:
        """The ids of runners that are not online, of those that the token sees: the newest."""
        found: list[int] = []
        for status in ("never_contacted", "offline", "stale"):
            for path in ("/runners/all", "/runners"):  # the former is for administrators
                with self._asking(403, 404):
                    asked = {"status": status, "per_page": PAGE}
                    answer = self._api.http_get(path, asked, **AGAIN)
                    listed = answers.read(self.url, answer, list[answers.RunnerAnswer])
                    found += [one.id for one in listed]
                    break
        return sorted(found, reverse=True)[:most]

    def whose(self, token: Secret, system_id: str) -> int | None:
        """The id of the runner that has this token; None where GitLab does not know it.

        Args:
            token: a runner's.
            system_id: of the manager that has it: a verification notes one that is new.
        """
        body = {"token": token.reveal(), "system_id": system_id}
        with self._asking(403):
            answer = self._nobody.http_post("/runners/verify", post_data=body, **AGAIN)
            return answers.read(self.url, answer, answers.RunnerAnswer).id
        return None

    def find(self, runner: WantedRunner, name: str, note: str) -> ServerRunner | None:
        """The runner that an interrupted run created, told by its name and mark."""
        known = self.marked(runner, name)
        return next((one for one in known if pause.without(one.note) == note), None)

    def marked(self, runner: WantedRunner, name: str) -> Iterator[ServerRunner]:
        """The runners of that name that the kit created, for whichever host."""
        for listed in self._listed(runner):
            if listed.description == name:
                found = self.get(listed.id)
                if found and pause.without(found.note).startswith(MARK):
                    yield found

    def create(self, data: Mapping[str, Any]) -> Secret:
        """Create a runner and return its token, which GitLab shows only this once."""
        return self._token("/user/runners", data)

    def reset(self, number: int) -> Secret:
        """Give a runner a new token; the old one is void."""
        return self._token(f"/runners/{number}/reset_authentication_token", {})

    def update(self, number: int, data: Mapping[str, Any]) -> None:
        with self._asking():
            self._api.http_put(f"/runners/{number}", post_data=dict(data), **AGAIN)

    def delete(self, number: int) -> None:
        """Take a runner away, with all its managers."""
        with self._asking(404):
            self._api.http_delete(f"/runners/{number}", **AGAIN)

    def _token(self, path: str, data: Mapping[str, Any]) -> Secret:
        with self._asking():
            answer = self._api.http_post(path, post_data=dict(data))
        text = answers.read(self.url, answer, answers.Token).token
        return tokens.required(Secret(text), f"the token that {self.url} made")

    def _listed(self, runner: WantedRunner) -> Iterator[answers.RunnerAnswer]:
        spec = runner.spec
        path = {
            "project_type": f"/projects/{spec.project}/runners",
            "group_type": f"/groups/{spec.group}/runners",
        }.get(spec.kind, "/runners/all")
        with self._asking(403, 404):
            for page in range(1, PAGES + 1):
                asked = {"type": spec.kind, "per_page": PAGE, "page": page}
                found = self._api.http_get(path, asked, **AGAIN)
                listed = answers.read(self.url, found, list[answers.RunnerAnswer])
                yield from listed
                if len(listed) < PAGE:
                    return
            raise KitError(
                f"{self.url}: more than {PAGES * PAGE} runners at {path}",
                "remove those at GitLab that nobody uses",
            )

    @contextmanager
    def _asking(self, *unseen: int) -> Iterator[None]:
        """Say GitLab's refusals in words, but for the answers that only mean: not for this token."""
        try:
            yield
        except gitlab.GitlabError as error:
            if error.response_code not in unseen:
                raise self._refused(error) from None
        except requests.RequestException as error:
            raise unreachable(self.url, error) from None

    def _refused(self, error: gitlab.GitlabError) -> KitError:
        if isinstance(error, gitlab.GitlabParsingError):
            return answers.strange(self.url, error)
        if error.response_code == 401:
            return KitError(
                f"{self.url}: {self._name} is wrong, revoked or expired", "make a new one"
            )
        if error.response_code == 403:
            return KitError(
                f"{self.url}: {self._name} may not do that: {error.error_message}",
                "it needs scope create_runner (and manage_runner), and an owner of what the runner is for",
            )
        if error.response_code == 429 or (error.response_code or 0) >= 500:
            return KitError(
                f"{self.url}: {error.response_code}: {error.error_message}",
                "GitLab itself fails or is overloaded: see how it fares, then run again",
            )
        return KitError(
            f"{self.url}: {error.response_code}: {error.error_message}",
            "check project, group and type of the runner in the settings",
        )
