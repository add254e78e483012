"""Real hosts: one sandbox for the whole session, blank hosts for each test."""

import fcntl
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from sandbox import keys
from sandbox.errors import SandboxError
from sandbox.names import Names, own
from sandbox.world import BlankHost, World, down, up
from tests.hosts.kit import Kit

NUMBERS = itertools.count(1)
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
if WORKER:  # tests side by side have a GitLab and a mirror of their own
    os.environ["RUNNERKIT_SANDBOX"] = f"{os.environ.get('RUNNERKIT_SANDBOX') or own()}-{WORKER}"


class Blank(Protocol):
    """Makes blank hosts."""

    def __call__(
        self, kind: str = "systemd", name: str | None = None, disk_mb: int = 0
    ) -> BlankHost: ...


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """The sandbox, up. It stays up for the next run, `./inv sandbox.down` ends it; a worker's goes.

    Runs in one sandbox would take each other's jobs, and delete each other's runners and hosts. One run
    may have it for several folders of tests: lockf is the process's own.
    """
    names = Names.current()
    keys.folder(names.state)
    with (names.state / "tests").open("w") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SandboxError(
                f"other tests are at work in the sandbox {names.sandbox}",
                "wait for them to end, or give these their own: RUNNERKIT_SANDBOX=NAME",
            ) from None
        yield up()
        if WORKER:
            down(images=False)


@pytest.fixture
def blank(world: World) -> Iterator[Blank]:
    """Fresh hosts of any kind, removed after the test."""
    result: list[str] = []

    def make(kind: str = "systemd", name: str | None = None, disk_mb: int = 0) -> BlankHost:
        result.append(name or f"test{next(NUMBERS)}")
        return world.host(result[-1], kind, disk_mb)

    yield make
    for name in result:
        world.remove(name)


@pytest.fixture
def kit(world: World, tmp_path: Path) -> Iterator[Kit]:
    """The kit with an empty settings folder; the runners made in a test are deleted after it."""
    result = Kit(world, tmp_path)
    before = {runner["id"] for runner in result.gitlab.runners()}
    yield result
    for runner in result.gitlab.runners():
        if runner["id"] not in before:
            result.gitlab.call("DELETE", f"/api/v4/runners/{runner['id']}")


@pytest.fixture
def counted(kit: Kit) -> Iterator[set[int]]:
    """The jobs that a test means to lose; all others that it queues have ended well when it ends."""
    before, lost = kit.gitlab.jobs().keys(), set[int]()
    yield lost
    jobs = {number: job for number, job in kit.gitlab.jobs().items() if number not in before}
    assert {number for number, job in jobs.items() if job["state"] != "success"} == lost
