"""GitLab's kinds of tokens, told by their prefixes: each has a place of its own."""

import re

from runnerkit.errors import KitError
from runnerkit.settings.secrets import Secret

WRONG_KIND = {
    "glpat-": "a personal access token: put it in GITLAB_TOKEN (gitlab.api_token)",
    "GR1348941": "a registration token: put it in REGISTRATION_TOKEN (registration_token)",
    "glrt-": "a runner's own token: put it in RUNNER_TOKEN (token)",
    "glptt-": "a trigger token, which cannot register a runner",
    "glcbt-": "a job's token, which cannot register a runner",
    "gldt-": "a deploy token, which cannot register a runner",
}


def check(token: Secret | None, right: str, what: str) -> Secret | None:
    """The token, unless its prefix says that it is of another kind than `right`.

    Raises:
        KitError: it is, or it holds what no token holds.
    """
    text = token.reveal() if token else ""
    for prefix, kind in WRONG_KIND.items():
        if prefix != right and text.startswith(prefix):
            raise KitError(f"{what} holds {kind}", "give each token by its own name")
    if text and not re.fullmatch(r"[\w.=~-]+", text, re.ASCII):
        raise KitError(f"{what} is not a token: it has a space or a quote in it", "copy it again")
    return token
