"""How hosts are: what is told, what is unwell, and what one that cannot tell all still tells."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from runnerkit.errors import KitError
from runnerkit.facts import Facts, Job, ServerRunner
from runnerkit.facts.look import jobs_in
from runnerkit.fleet.health.status import HostStatus, _of
from runnerkit.fleet.host import Host
from runnerkit.fleet.run import Fleet, Outcome
from runnerkit.report.status import shown
from runnerkit.settings.model import Settings
from runnerkit.settings.targets import Target
from runnerkit.want import Want
from tests.unit.build import MANAGER, container, converged, want


class Answering:
    """A host of which GitLab knows this, or says that."""

    def __init__(
        self, known: ServerRunner | None = None, status: str = "", fault: str = "",
        renewed: ServerRunner | None = None,
    ) -> None:  # fmt: skip
        self.known, self.status, self.fault = known, status, fault
        self.others = {"web": renewed} if renewed else {}

        self.mirror_side = SimpleNamespace(suspected=self.mirrors)

    def mirrors(self, _: object, have: Facts) -> Facts:
        return have

    def server(self, _: object, have: Facts) -> Facts:
        if self.fault:
            raise KitError(self.fault, "see GitLab")
        return replace(have, server={"web": self.known} if self.known else {})

    def renewed(self, _: object, have: Facts) -> Facts:
        return replace(have, server={**have.server, **self.others})

    def manager_status(self, *_: object) -> str:
        return self.status


def status(have: Facts, **answers: Any) -> HostStatus:
    return _of(Answering(**answers), want(), have)  # type: ignore[arg-type]


def codes(found: HostStatus) -> list[str]:
    return [one.code for one in found.findings]


def test_a_converged_host_is_well() -> None:
    found = status(
        converged(), known=ServerRunner(7, token_expires_at="2027-01-01T00:00:00Z"), status="online"
    )
    assert codes(found) == []
    assert (found.changes, found.stale, found.behind) == ((), (), 0)
    (runner,) = found.runners
    assert (runner.accepted, runner.online, runner.expires[:10]) == (True, "online", "2027-01-01")
    page = shown([Outcome("ci1", found)])
    assert page.code == 0
    assert "1 of 1 online, token until 2027-01-01" in page.lines[1]


ENDING = {"Running": True, "Restarting": True}
BEGUN = {"Running": True, "StartedAt": "2026-11-26T10:00:00.5Z"}
UNWELL: dict[str, tuple[Callable[[], HostStatus], str, str]] = {
    "a stopped manager": (
        lambda: status(converged(containers={"gitlab-runner": container(State={"Running": False})})),
        "manager-stopped", "stopped",
    ),
    "one that ends as soon as it starts": (
        lambda: status(converged(containers={"gitlab-runner": container(State=ENDING)})),
        "manager-restarting", "restarting",
    ),
    "one that has just been started again": (
        lambda: status(converged(
            containers={"gitlab-runner": container(State=BEGUN, RestartCount=3)},
            now=1795687203,
        )),
        "manager-restarting", "restarting",
    ),
    "one that GitLab does not see": (
        lambda: status(converged(), known=ServerRunner(7), status="offline"),
        "runner-offline", "0 of 1 online",
    ),
    "a full disk": (lambda: status(converged(free_kb=1000)), "disk-full", "1 MB"),
    "GitLab that fails": (lambda: status(converged(), fault="500"), "unknown", "1 of 1 accepted"),
    "a config.toml that is none": (lambda: status(converged("x = [")), "unknown", "  -"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNWELL)
def test_what_is_unwell_is_told_with_the_rest(case: str) -> None:
    look, code, cell = UNWELL[case]
    found = look()
    assert codes(found).count(code) == 1
    page = shown([Outcome("ci1", found)])
    assert page.code == 1
    assert cell in page.lines[1]
    assert "20.10.24" in page.lines[1]
    assert page.lines[3].startswith("    fix: ")


def test_a_paused_runner_is_noted_and_a_host_not_reached_is_an_error() -> None:
    paused = status(converged(), known=ServerRunner(7, "web", paused=True), status="online")
    assert codes(paused) == ["runner-paused"]
    page = shown([Outcome("ci1", paused), Outcome("ci2", error="no answer", fix="look")])
    assert page.code == 1
    assert [line.split()[0] for line in page.lines] == [
        "host",
        "ci1",
        "note:",
        "fix:",
        "ci2",
        "error:",
        "fix:",
    ]


def test_a_pause_is_noted_also_where_the_settings_give_a_former_token() -> None:
    found = status(converged(), renewed=ServerRunner(7, "other", tags=frozenset("a"), paused=True))
    assert codes(found) == ["runner-paused"]
    assert found.changes == (), "it is told of, and not changed"


def test_an_older_manager_is_so_many_minors_behind() -> None:
    old = container(Config={"Image": MANAGER.replace("v19.3.0", "v17.5.5")})
    assert status(converged(containers={"gitlab-runner": old})).behind == 22
    other = container(Config={"Image": "mirror.example.com/gitlab-runner:latest"})
    assert status(converged(containers={"gitlab-runner": other})).behind is None


def test_a_job_is_one_however_many_containers_it_has() -> None:
    url = "http://gitlab/group/web/-/jobs/7"
    rows = [["2026-11-26T10:00:09.1Z", "7", url], ["2026-11-26T10:00:01.1Z", "7", url]]
    assert jobs_in([*rows, ["2026-11-26T09:00:00Z", "6", ""]]) == (
        Job("6", "", "2026-11-26T09:00:00Z"),
        Job("7", "group/web", "2026-11-26T10:00:01.1Z"),
    )
    since = (datetime.now(UTC) - timedelta(minutes=14)).isoformat()
    page = shown([Outcome("ci1", HostStatus(jobs=(Job("7", "group/web", since),)))])
    assert "1: group/web#7 for 14 min" in page.lines[1]


def test_images_that_differ_between_hosts_are_named_on_each() -> None:
    hosts = [
        Outcome(name, HostStatus("28.5.2", images=(("web", content),)))
        for name, content in (("a", "1"), ("b", "2"))
    ]
    page = shown(hosts)
    assert all("1 differ" in line for line in page.lines[1:])


def test_a_host_that_goes_on_for_ever_is_not_waited_for() -> None:
    over = threading.Event()
    targets = (Target("slow", "local"), Target("quick", "local"))
    fleet = Fleet(targets, Settings(), lambda *_: None)
    wants = {target.name: want() for target in targets}

    def work(host: Host, _: Want) -> str:
        if host.name == "slow":
            over.wait(60)
        return "well"

    slow, quick = fleet.each(wants, work, limit=1)
    over.set()
    assert quick.result == "well"
    assert (slow.result, slow.error) == (None, "no answer within 1 s; it was not waited for")
