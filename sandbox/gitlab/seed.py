"""What the server starts with: access tokens, projects, groups and its patience."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class AccessToken:
    """What a PRIVATE-TOKEN may do."""

    id: int
    scopes: frozenset[str]
    expired: bool = False


@dataclass(frozen=True)
class Group:
    """A namespace; runners of type group_type belong to it."""

    id: int
    path: str


@dataclass(frozen=True)
class Project:
    """A project, by id and full path (`group/name`)."""

    id: int
    path: str

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def namespace(self) -> str:
        """The path of its group."""
        return self.path.rpartition("/")[0]


PROJECTS = (Project(1, "sandbox/first"), Project(2, "sandbox/second"))


@dataclass(frozen=True)
class Seed:
    """Everything that is fixed when the server starts."""

    access: Mapping[str, AccessToken] = field(default_factory=dict)
    registration: Mapping[str, str] = field(default_factory=dict)  # token -> runner type
    projects: tuple[Project, ...] = PROJECTS
    poll_seconds: float = 1.0  # how long jobs/request is held
    trace_seconds: int = 1  # X-GitLab-Trace-Update-Interval
    version: str = "19.3.0"

    @property
    def groups(self) -> tuple[Group, ...]:
        """The namespaces of the projects, numbered in their order."""
        paths = dict.fromkeys(project.namespace for project in self.projects)
        return tuple(Group(number, path) for number, path in enumerate(paths, 1))


def read(tokens: str = "{}", projects: str = "") -> Seed:
    """A seed from two JSON texts.

    `tokens` maps what a token may do to the token: a list of scopes separated by blanks ("api",
    "create_runner manage_runner"), "expired", or "registration" and "registration_project" for
    registration tokens of the instance and of the first project. `projects` maps ids to paths.
    """
    named: Mapping[str, str] = json.loads(tokens)
    kinds = {"registration": "instance_type", "registration_project": "project_type"}
    known = json.loads(projects) if projects else {}
    return Seed(
        access=_access((k, v) for k, v in named.items() if k not in kinds),
        registration={named[kind]: kinds[kind] for kind in kinds if kind in named},
        projects=tuple(Project(int(number), path) for number, path in known.items()) or PROJECTS,
    )


def _access(named: Iterable[tuple[str, str]]) -> dict[str, AccessToken]:
    return {
        token: AccessToken(number, frozenset(may.split()), expired=may == "expired")
        for number, (may, token) in enumerate(named, 1)
    }
