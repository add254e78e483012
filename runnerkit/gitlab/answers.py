"""What of GitLab's answers is believed: keys that are known, of the types that they should have."""

from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from runnerkit.errors import KitError
from runnerkit.facts import ServerManager, ServerRunner

Answer = TypeVar("Answer")


class RunnerAnswer(msgspec.Struct):
    id: Annotated[int, Meta(ge=1)]
    description: str | None = None
    maintenance_note: str | None = None
    tag_list: frozenset[str] | None = None
    run_untagged: bool = True
    locked: bool = False
    paused: bool = False
    access_level: str | None = None
    maximum_timeout: int | None = None
    token_expires_at: str | None = None
    status: str | None = None
    contacted_at: str | None = None

    @property
    def known(self) -> ServerRunner:
        """What the kit knows of it."""
        return ServerRunner(
            id=self.id,
            description=self.description or "",
            note=self.maintenance_note or "",
            tags=self.tag_list or frozenset(),
            run_untagged=self.run_untagged,
            locked=self.locked,
            paused=self.paused,
            access_level=self.access_level or "not_protected",
            maximum_timeout=self.maximum_timeout,
            token_expires_at=self.token_expires_at or "",
            status=self.status or "",
            contacted_at=self.contacted_at or "",
        )


class ManagerAnswer(msgspec.Struct):
    system_id: str
    status: str | None = None
    contacted_at: str | None = None
    ip_address: str | None = None

    @property
    def known(self) -> ServerManager:
        """What the kit knows of it."""
        seen, address = self.contacted_at or "", self.ip_address or ""
        return ServerManager(self.system_id, self.status or "", seen, address)


class ProjectAnswer(msgspec.Struct):
    id: int = 0
    path_with_namespace: str = ""


class JobAnswer(msgspec.Struct):
    """A job; `runner_manager` is there since GitLab 16, `project` where jobs of a runner are listed."""

    id: int
    status: str = ""
    name: str = ""
    failure_reason: str | None = None
    web_url: str = ""
    runner: RunnerAnswer | None = None
    runner_manager: ManagerAnswer | None = None
    project: ProjectAnswer | None = None


class Token(msgspec.Struct):
    token: str


def read(url: str, answer: object, kind: type[Answer]) -> Answer:
    """An answer of that GitLab's as what it should be.

    Raises:
        KitError: it is something else.
    """
    try:
        return msgspec.convert(answer, kind)
    except msgspec.ValidationError as error:
        raise strange(url, error) from None


def strange(url: str, error: Exception) -> KitError:
    """What is there does not speak GitLab's API."""
    return KitError(
        f"{url} does not answer as GitLab does: {error}",
        "see that [gitlab] url, or --url, is GitLab's address",
    )
