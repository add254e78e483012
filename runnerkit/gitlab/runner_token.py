"""What a runner's own token can do at GitLab, for whoever has no other."""

import requests

from runnerkit.errors import KitError
from runnerkit.gitlab.session import Elsewhere, session
from runnerkit.settings.secrets import Secret

TIMEOUT = 20  # s


def check_token(url: str, token: Secret, whose: str, ca: str = "") -> None:
    """Raise a KitError if GitLab refuses a runner's token; quiet where GitLab does not answer here."""
    if accepts(url, token, ca) is False:
        raise KitError(
            f"{url} refuses the runner's token ({whose})",
            "copy it again, or create the runner anew in GitLab; nothing was changed",
        )


def accepts(url: str, token: Secret, ca: str = "") -> bool | None:
    """Whether GitLab knows a runner's token; None where it does not say.

    Asked by deleting a manager that cannot exist: unlike a verification, that leaves none behind.
    """
    return {403: False, 400: True, 404: True}.get(dismiss(url, token, "s_000000000000", ca))


def dismiss(url: str, token: Secret, system_id: str, ca: str = "") -> int:
    """Take a manager off its runner, by the runner's own token: administrators have no call for that.

    Returns:
        GitLab's answer: 204 it is off, 404 it was not there, 403 the token is none; 0 for no answer.
    """
    body = {"token": token.reveal(), "system_id": system_id}
    headers = {"RUNNER-TOKEN": token.reveal()}
    try:
        answer = session(url, ca).delete(
            f"{url}/api/v4/runners/managers", json=body, headers=headers, timeout=TIMEOUT
        )
    except (requests.RequestException, Elsewhere):
        return 0
    return answer.status_code
