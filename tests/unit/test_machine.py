"""What a host's words mean."""

import re

import pytest
from invoke.context import Context

from runnerkit.errors import KitError
from runnerkit.machine import Machine, NeedsPassword
from runnerkit.secrets import Secret
from runnerkit.steps.registration import HINTS

ASKED = [
    "sudo: a password is required",
    "sudo: interactive authentication is required",  # sudo-rs
]
REFUSED = [
    "Sorry, try again.\nsudo: no password was provided",
    "sudo: 1 incorrect password attempt",
    "sudo: Authentication failed, try again.",
    "sudo: maximum 3 incorrect authentication attempts",
]


@pytest.mark.parametrize("said", ASKED)
def test_sudo_that_wants_a_password_is_given_one(said: str) -> None:
    with pytest.raises(NeedsPassword):
        Machine(Context())._raise_sudo(said)


@pytest.mark.parametrize("said", REFUSED)
def test_a_password_that_sudo_refuses_is_told(said: str) -> None:
    with pytest.raises(KitError, match="refuses the password") as caught:
        Machine(Context(), Secret("wrong"))._raise_sudo(said)
    assert not isinstance(caught.value, NeedsPassword)


@pytest.mark.parametrize(
    ("said", "fix"),
    [
        ("status=POST https://g/api/v4/runners: 410 Gone", "registration tokens switched off"),
        ("Registering runner... forbidden (check registration token)", "refuses the token"),
        ("dial tcp: lookup g: no such host correlation_id=01410a403b", "cannot reach GitLab"),
        ("x509: unknown authority  revision=410aa7b2", "does not trust"),
    ],
)
def test_what_gitlab_answered_is_not_read_out_of_ids(said: str, fix: str) -> None:
    assert fix in next(hint.fix for hint in HINTS if re.search(hint.pattern, said))
