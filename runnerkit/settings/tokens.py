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


_TOKEN = re.compile(r"[A-Za-z0-9_.=~-]+")


def known(text: object) -> Secret | None:
    """What a host or a file says is a token, if it can be one."""
    return Secret(text) if isinstance(text, str) and _TOKEN.fullmatch(text) else None


def required(token: Secret, what: str) -> Secret:
    """The token, which came from somewhere else than the settings.

    Raises:
        KitError: it holds what no token holds.
    """
    if known(token.reveal()):
        return token
    raise KitError(
        f"{what} is none: it has a space, a quote or a line break in it, or nothing",
        "see that [gitlab] url, or --url, is GitLab's address; the token was used nowhere",
    )


def check(token: Secret | None, right: str, what: str) -> Secret | None:
    """The token, unless its prefix says that it is of another kind than `right`.

    Raises:
        KitError: it is, or it holds what no token holds.
    """
    text = token.reveal() if token else ""
    for prefix, kind in WRONG_KIND.items():
        if prefix != right and text.startswith(prefix):
            raise KitError(f"{what} holds {kind}", "give each token by its own name")
    if text and not known(text):
        raise KitError(f"{what} is not a token: it has a space or a quote in it", "copy it again")
    return token
