"""What a plan tells beside its changes: leftovers, what is not known yet, what would fail."""

from dataclasses import replace

import pytest
from paramiko import AuthenticationException

from runnerkit import converge
from runnerkit.checks.engine import unknown
from runnerkit.checks.finding import Finding, Level
from runnerkit.checks.runner import leftovers
from runnerkit.errors import KitError
from runnerkit.facts import Facts
from runnerkit.fleet import obstacles
from runnerkit.fleet.bootstrap import Planned
from runnerkit.fleet.run import Outcome
from runnerkit.machine.ssh.errors import explain
from runnerkit.report.bootstrap import planned
from runnerkit.settings.targets import wrong_port
from runnerkit.steps import config_toml
from tests.unit.build import CONFIG, GOOD, blank, container, converged, want

OTHER = '[[runners]]\n  name = "old"\n  url = "https://elsewhere"\n  token = "glrt-other"\n'


def test_a_runner_of_no_settings_is_left() -> None:
    assert not list(leftovers.findings(want(), converged()))
    (left,) = leftovers.findings(want(), converged(GOOD + OTHER))
    assert "old (https://elsewhere)" in left.what
    renamed = want("glrt-new", runners={"web": {"name": "renamed"}})
    (left,) = leftovers.findings(renamed, converged())
    assert "ci1-web" in left.what
    assert "glrt" not in left.what


def test_a_stopped_docker_is_started_before_anything_else_is_known() -> None:
    have = converged(info={}, images={}, containers={})
    assert [change.title for change in converge.plan(want(), have)] == ["start docker"]
    assert [one.code for one in unknown.findings(want(), have)] == ["docker-stopped"]
    assert not list(unknown.findings(want(), blank()))


@pytest.mark.parametrize(
    ("manager", "have", "number"),
    [
        ({}, blank(), 4),
        ({"concurrent": "auto"}, blank(), 4),
        ({"concurrent": 2}, blank(), 2),
        ({}, converged(), None),
        ({}, converged("concurrent = 9\n"), None),
    ],
)
def test_the_first_file_says_as_many_jobs_as_processors(
    manager: dict[str, object], have: Facts, number: int | None
) -> None:
    writes = [change.diff for change in config_toml.changes(want(manager=manager), have)]
    assert [f"+concurrent = {number}" in diff for diff in writes] == ([True] if number else [])


def test_a_plan_that_would_fail_says_so_by_its_exit_code() -> None:
    obstacle = Finding("change-obstacle", Level.ERROR, "no way", "make one")
    page = planned([Outcome("a", Planned((), (obstacle,)))])
    assert (page.code, page.messages) == (1, ["error: a: no way", "  fix: make one"])


class Deaf:
    """A machine that reaches nothing and refuses every file."""

    def __init__(self) -> None:
        self.scripts: list[str] = []

    def reaches(self, host: str, port: int) -> bool:
        return False

    def run(self, script: str) -> str:
        from runnerkit.machine.failure import Failed

        self.scripts.append(script)
        raise Failed(1, "unknown key zzz\n")


def test_all_obstacles_are_found_and_none_where_nothing_is_pending() -> None:
    wanted = want(
        manager={"settings": {"zzz": 1}}, docker={"registry_mirrors": ["http://m:1"]}, token=None
    )
    machine = Deaf()
    assert not [*obstacles.findings(machine, None, wanted, [])]  # type: ignore[arg-type]
    pending = converge.plan(wanted, converged())
    found = [*obstacles.findings(machine, None, wanted, pending)]  # type: ignore[arg-type]
    assert {one.code for one in found} == {"change-obstacle"}
    assert [one.what.partition(" would")[0] for one in found] == [
        "registry mirror http://m:1 does not answer the host",
        "write /etc/docker/daemon.json",
        f"write {CONFIG}",
    ]
    assert not [script for script in machine.scripts if "mv " in script or "mkdir" in script]


def test_a_manager_is_not_doubted_before_it_runs() -> None:
    from runnerkit.fleet.bootstrap import _proven, findings

    stopped = converged(
        containers={"gitlab-runner": container(State={"Running": False})}, verify="not running"
    )
    for have, count in ((stopped, 0), (converged(verify="no route"), 1)):
        found = [
            one
            for one in findings(want(), have)
            if one.level is Level.ERROR and _proven(one, converge.plan(want(), have))
        ]
        assert len(found) == count
    gone = replace(converged(), verify="is not valid runner=unit00000")
    change = converge.plan(want(manager={"concurrent": 3}), gone)
    assert [one for one in findings(want(), gone) if _proven(one, change)]


@pytest.mark.parametrize(
    ("address", "right"),
    [
        *((one, True) for one in ("h", "u@h:22", "::1", "u@[::1]:22", "[2001:db8::1]", "h:65535")),
        *((one, False) for one in ("h:99999", "h:0", "u@h:x", "h:", "[::1]:0", "h:-1", "h:²")),
    ],
)
def test_a_port_is_one_that_can_be(address: str, right: bool) -> None:
    assert bool(wrong_port(address)) is not right


def test_what_keeps_a_connection_from_being_made_is_told_by_its_cause() -> None:
    for cause, words in (
        (ConnectionRefusedError(111, "Connection refused"), "cannot connect: Connection refused"),
        (OSError(113, "No route to host"), "no way to the host: No route to host"),
        (TimeoutError(110, "timed out"), "h: no answer"),
        (AuthenticationException("Authentication timeout."), "login had no answer within 30 s"),
    ):
        error = explain("h", cause)
        assert isinstance(error, KitError)
        assert words in error.what
        assert "Errno" not in error.what
        assert "15 s" not in error.what
