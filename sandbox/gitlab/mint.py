"""New tokens, in the shapes that GitLab gives them."""

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits + "-_"


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def created_runner() -> str:
    """Of a runner that was created first: `glrt-` and twenty characters."""
    return f"glrt-{_random(20)}"


def registered_runner() -> str:
    """Of a runner that came with a registration token: twenty characters."""
    # A leading dash would read as an option wherever the token is typed.
    return secrets.choice(string.ascii_letters) + _random(19)


def job() -> str:
    """Of one job, for as long as it runs."""
    return f"glcbt-64_{_random(20)}"


def queue_value() -> str:
    """Of one state of the queue, for X-GitLab-Last-Update."""
    return secrets.token_hex(32)
