"""What GitLab has and no host: only told where every host that it could be was looked at."""

from dataclasses import replace
from typing import Any

import pytest

from runnerkit.errors import KitError
from runnerkit.facts import ServerManager, ServerRunner
from runnerkit.fleet.bootstrap import Planned
from runnerkit.fleet.clearing import ghosts, sweep
from runnerkit.fleet.clearing.ghosts import Ghost, Presence
from runnerkit.fleet.run import Fleet, Outcome
from runnerkit.gitlab import server
from runnerkit.settings.load import load
from runnerkit.settings.secrets import Secret
from tests.unit.build import URL

WEB = ServerRunner(7, "web")
MINE = Presence("s_000000000001", {"web": WEB})
LEFT = ServerRunner(9, "old", "runnerkit host=old1 machine=0 runner=web", status="offline")


class GitLab:
    """Has a runner with two managers, and one of the kit's that nobody has."""

    url, fault = URL, False

    def __init__(self, *_: object, **__: object) -> None: ...

    def managers(self, number: int) -> list[ServerManager]:
        if self.fault:
            raise KitError("GitLab fails", "wait")
        return [
            ServerManager("s_000000000001", "online"),
            ServerManager("s_000000000002", "stale", "2026-01-01T00:00:00Z", "10.0.0.2"),
        ]

    def silent(self, most: int) -> list[int]:
        return [7, 9, 11][:most]

    def get(self, number: int) -> ServerRunner:
        return LEFT if number == 9 else ServerRunner(number, "theirs", "a note")


def codes(
    monkeypatch: pytest.MonkeyPatch, known: dict[str, Any], hosts: dict[str, Any]
) -> list[str]:
    monkeypatch.setattr(server, "Server", GitLab)
    runners = {"web": {"image": "debian"}}
    data = {"gitlab": {"url": URL}, "runners": runners, "hosts": hosts}
    fleet = Fleet((), load(command_line=data), lambda *_: None)
    outcomes = [Outcome(name, one and Planned((), (), one)) for name, one in known.items()]
    return [one.code for one in ghosts.findings(fleet, outcomes, Secret("glpat-x"))]


A, B = {"address": "a"}, {"address": "b"}
OTHER = Presence("s_000000000002", {"web": WEB})


@pytest.mark.parametrize(
    ("known", "hosts", "expected"),
    [
        ({"a": MINE}, {"a": A}, ["manager-ghost", "runner-ghost"]),
        ({"a": MINE, "b": OTHER}, {"a": A, "b": B}, ["runner-ghost"]),
        ({"a": MINE}, {"a": A, "b": B}, []),
        ({"a": MINE, "b": None}, {"a": A, "b": B}, []),
        ({"a": MINE}, {"a": A, "b": {**B, "runners": []}}, ["manager-ghost"]),
        ({"a": MINE, "b": Presence("", {"web": WEB})}, {"a": A, "b": B}, ["runner-ghost"]),
        ({"a": Presence("s_1", {"web": None})}, {"a": A}, []),
        ({"a": MINE}, {}, []),
    ],
)
def test_only_what_is_nowhere_is_a_ghost(
    monkeypatch: pytest.MonkeyPatch,
    known: dict[str, Any], hosts: dict[str, Any], expected: list[str],
) -> None:  # fmt: skip
    assert codes(monkeypatch, known, hosts) == expected


def test_a_gitlab_that_fails_tells_of_no_ghosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GitLab, "fault", True)
    assert codes(monkeypatch, {"a": MINE}, {"a": A}) == []


def test_gitlab_is_asked_about_a_hundred_runners_at_most() -> None:
    asked: list[int] = []

    class Counting(GitLab):
        def managers(self, number: int) -> list[ServerManager]:
            asked.append(number)
            return []

        def silent(self, most: int) -> list[int]:
            return [*range(1000, 2000)][:most]

        def get(self, number: int) -> ServerRunner:
            asked.append(number)
            return LEFT

    runners = {"gitlab": {"url": URL}, "hosts": {"a": A}, "runners": {"web": {"image": "debian"}}}
    fleet = Fleet((), load(command_line=runners), lambda *_: None)
    for count, ghosts_found in ((30, 70), (150, 0)):
        asked.clear()
        many = {f"web{i}": ServerRunner(i, "web") for i in range(1, count + 1)}
        told = {"a": Presence("s_000000000001", {"web": WEB, **many})}
        found = list(ghosts.found(fleet, told, Counting()))  # type: ignore[arg-type]
        assert len(asked) == ghosts.MOST
        assert len(found) == ghosts_found


@pytest.mark.parametrize(
    ("ghost", "goes"),
    [
        (Ghost(LEFT), True),
        (Ghost(replace(LEFT, status="online")), False),
        (Ghost(replace(LEFT, status="paused")), False),  # which hides whether it is online
        (Ghost(WEB, ServerManager("s_1", "stale"), Secret("glrt-x")), True),
        (Ghost(WEB, ServerManager("s_1", "online"), Secret("glrt-x")), False),
        (Ghost(WEB, ServerManager("s_1", "stale")), False),
    ],
)
def test_only_what_is_silent_and_can_be_taken_off_goes(ghost: Ghost, goes: bool) -> None:
    assert sweep.goes(sweep.Listed(ghost, None)) == goes
