"""What the server starts with: access tokens, projects, groups and its patience."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class AccessToken:
    """What a PRIVATE-TOKEN may do."""

    id: int
    scopes: frozenset[str]
    expired: bool = False


@dataclass(frozen=True)
class Project:
    """A project, by id and full path (`group/name`)."""

    id: int
    path: str

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


GROUPS = {1: "sandbox"}
PROJECTS = (Project(1, "sandbox/first"), Project(2, "sandbox/second"))  # all of the one group


@dataclass(frozen=True)
class Seed:
    """Everything that is fixed when the server starts."""

    access: Mapping[str, AccessToken] = field(default_factory=dict)
    registration: str = ""  # the instance's registration token
    poll_seconds: float = 1.0  # how long jobs/request is held
    trace_seconds: int = 1  # X-GitLab-Trace-Update-Interval
    version: str = "19.3.0"


def read(text: str) -> Seed:
    """A seed from JSON that maps what a token may do to the token.

    That is a list of scopes with blanks between ("api", "create_runner manage_runner"), "expired",
    or "registration".
    """
    tokens: Mapping[str, str] = json.loads(text)
    access = {
        token: AccessToken(number, frozenset(may.split()), expired=may == "expired")
        for number, (may, token) in enumerate(tokens.items(), 1)
        if may != "registration"
    }
    return Seed(access, tokens.get("registration", ""))
