"""Real hosts: one sandbox for the whole session, blank hosts for each test."""

import itertools
from collections.abc import Iterator
from typing import Protocol

import pytest

from sandbox.world import Host, World, up

NUMBERS = itertools.count(1)


class Blank(Protocol):
    """Makes blank hosts."""

    def __call__(self, kind: str = "systemd", name: str | None = None) -> Host: ...


@pytest.fixture(scope="session")
def world() -> World:
    """The sandbox, up. It stays up for the next run: `invoke sandbox.down` ends it."""
    return up()


@pytest.fixture
def blank(world: World) -> Iterator[Blank]:
    """Fresh hosts of any kind, removed after the test."""
    made: list[str] = []

    def make(kind: str = "systemd", name: str | None = None) -> Host:
        made.append(name or f"test{next(NUMBERS)}")
        return world.host(made[-1], kind)

    yield make
    for name in made:
        world.remove(name)
