"""What GitLab has and no host: only told where every host that it could be was looked at."""

from typing import Any

import pytest

from runnerkit.errors import KitError
from runnerkit.facts import ServerManager, ServerRunner
from runnerkit.fleet import ghosts
from runnerkit.fleet.bootstrap import Planned
from runnerkit.fleet.ghosts import Presence
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

    def __init__(self, *_: object) -> None: ...

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
