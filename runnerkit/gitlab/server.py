"""GitLab's side of the runners, by python-gitlab; and a check of a token that changes nothing."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import gitlab
import requests

from runnerkit.errors import KitError
from runnerkit.facts import ServerRunner
from runnerkit.plan import Hint
from runnerkit.settings.secrets import Secret
from runnerkit.want import WantedRunner

TIMEOUT = 20  # s
# What passes by itself is tried again, with pauses that double from 0.1 s. Not where a runner is
# created: GitLab may have done so and failed afterwards, and the next run finds that one.
AGAIN: dict[str, Any] = {"retry_transient_errors": True, "max_retries": 6}
# What requests says of why it does not reach GitLab from this machine.
HINTS = (
    Hint(
        "not yet valid|has expired",
        "GitLab's certificate is out of its time: renew it there; unless this machine's clock is wrong",
    ),
    Hint(
        "(?i)hostname mismatch|doesn't match|is not valid for",
        "GitLab's certificate is for another name: write that one into [gitlab] url",
    ),
    Hint(
        "(?i)wrong.version.number|record layer",
        "it speaks no TLS: write http:// into [gitlab] url, or the port that does",
    ),
    Hint(
        "verify failed",
        "name the file of its CA in the environment: REQUESTS_CA_BUNDLE=/path/to/ca.crt",
    ),
    Hint("ProxyError", "correct HTTPS_PROXY on this machine, or name GitLab in NO_PROXY"),
    Hint("", "check the URL, DNS and proxy on this machine"),
)


class Server:
    """GitLab's API, with a token that may do less than everything.

    Args:
        url: GitLab's address.
        token: a personal, group or project access token: ``api``, or ``create_runner`` (which
            can create but neither see nor change a runner) with ``manage_runner``.
    """

    def __init__(self, url: str, token: Secret) -> None:
        self.url = url
        self._api = gitlab.Gitlab(url, private_token=token.reveal(), timeout=TIMEOUT)

    def check(self) -> None:
        """Raise a KitError unless GitLab answers and knows the token."""
        with self._asking(403):  # a create_runner token may not ask, and is fine
            self._api.http_get("/user", **AGAIN)

    def get(self, number: int) -> ServerRunner | None:
        """The runner of that id; None where it is gone or the token may not see it."""
        with self._asking(403, 404):
            return _runner(self._api.runners.get(number, **AGAIN).attributes)
        return None

    def find(self, runner: WantedRunner, name: str, note: str) -> ServerRunner | None:
        """The runner that an interrupted run created, told by its name and mark."""
        for listed in self._listed(runner):
            if listed.get("description") == name:
                found = self.get(listed["id"])
                if found and found.note == note:
                    return found
        return None

    def create(self, data: Mapping[str, Any]) -> Secret:
        """Create a runner and return its token, which GitLab shows only this once."""
        return self._token("/user/runners", data)

    def reset(self, number: int) -> Secret:
        """Give a runner a new token; the old one is void."""
        return self._token(f"/runners/{number}/reset_authentication_token", {})

    def update(self, number: int, data: Mapping[str, Any]) -> None:
        with self._asking():
            self._api.http_put(f"/runners/{number}", post_data=dict(data), **AGAIN)

    def _token(self, path: str, data: Mapping[str, Any]) -> Secret:
        with self._asking():
            return Secret(self._api.http_post(path, post_data=dict(data))["token"])  # type: ignore[index]

    def _listed(self, runner: WantedRunner) -> Iterator[dict[str, Any]]:
        spec = runner.spec
        path = {
            "project_type": f"/projects/{spec.project}/runners",
            "group_type": f"/groups/{spec.group}/runners",
        }.get(spec.kind, "/runners/all")
        with self._asking(403, 404):
            yield from self._api.http_list(path, iterator=True, type=spec.kind, **AGAIN)

    @contextmanager
    def _asking(self, *unseen: int) -> Iterator[None]:
        """Say GitLab's refusals in words, but for the answers that only mean: not for this token."""
        try:
            yield
        except gitlab.GitlabError as error:
            if error.response_code not in unseen:
                raise self._refused(error) from None
        except requests.RequestException as error:
            raise self._unreachable(error) from None

    def _refused(self, error: gitlab.GitlabError) -> KitError:
        if error.response_code == 401:
            return KitError(
                f"{self.url}: GITLAB_TOKEN is wrong, revoked or expired", "make a new one"
            )
        if error.response_code == 403:
            return KitError(
                f"{self.url}: GITLAB_TOKEN may not do that: {error.error_message}",
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

    def _unreachable(self, error: requests.RequestException) -> KitError:
        known = next(one for one in HINTS if re.search(one.pattern, f"{error!r}"))
        reasons = re.findall(r"(?:\[Errno -?\d+\]|verify failed:) ([\w -]*\w)", str(error))
        why = reasons[-1] if reasons else type(error).__name__
        return KitError(f"{self.url} cannot be reached from here: {why}", known.fix)


def check_token(url: str, token: Secret, whose: str) -> None:
    """Raise a KitError if GitLab refuses a runner's token; quiet where GitLab does not answer here.

    Asked by deleting a manager that cannot exist: unlike a verification, that leaves none behind.
    """
    body = {"token": token.reveal(), "system_id": "s_000000000000"}
    headers = {"RUNNER-TOKEN": token.reveal()}
    try:
        answer = requests.delete(
            f"{url}/api/v4/runners/managers", json=body, headers=headers, timeout=TIMEOUT
        )
    except requests.RequestException:
        return
    if answer.status_code == 403:
        raise KitError(
            f"{url} refuses the runner's token ({whose})",
            "copy it again, or create the runner anew in GitLab; nothing was changed",
        )


def _runner(data: dict[str, Any]) -> ServerRunner:
    return ServerRunner(
        id=data["id"],
        description=data.get("description") or "",
        note=data.get("maintenance_note") or "",
        tags=frozenset(data.get("tag_list") or ()),
        run_untagged=data.get("run_untagged", True),
        locked=data.get("locked", False),
        paused=data.get("paused", False),
        access_level=data.get("access_level") or "not_protected",
        maximum_timeout=data.get("maximum_timeout"),
    )
