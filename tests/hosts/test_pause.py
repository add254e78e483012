"""A runner is paused with a note and for a time, and comes back by itself, whoever is off by then."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.world import BlankHost, World
from tests.hosts.kit import CONFIG, Kit, Ran, until
from tests.hosts.test_secrets import Watch, forms, places

pytestmark = pytest.mark.usefixtures("counted")

API = {"api_token": {"env": "GITLAB_TOKEN"}}
KEEPS = {**API, "resume_token": {"env": "RESUME_TOKEN"}}
UNITS = "ls -A /etc/systemd/system /var/lib/runnerkit /usr/local/lib/runnerkit 2>/dev/null | grep resume; :"


@pytest.fixture(scope="module")
def host(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlankHost]:
    """A host whose runner the API made."""
    host, kit = world.host("paused1", "docker"), Kit(world, tmp_path_factory.mktemp("paused"))
    settings(kit, host)
    kit.bootstrap()
    yield host
    kit.gitlab.forget_runners("paused")
    world.remove("paused1")


def settings(kit: Kit, host: BlankHost, **runner: Any) -> None:
    kit.settings(host, gitlab=KEEPS, runners={"web": {"name": "paused", **runner}})
    kit.env.update(GITLAB_TOKEN=kit.world.api_token, RESUME_TOKEN=kit.world.manage_token)


def at_gitlab(kit: Kit) -> dict[str, Any]:
    (runner,) = kit.gitlab.runners("paused")
    return runner


def test_a_paused_runner_takes_no_jobs_until_it_is_resumed(kit: Kit, host: BlankHost) -> None:
    settings(kit, host)
    mark = at_gitlab(kit)["maintenance_note"]
    dry = kit.run("runner.pause", "--host", "all", "--note", "new disks", "--dry-run")
    assert (dry.code, at_gitlab(kit)["paused"]) == (2, False)

    ran = kit.run("runner.pause", "--host", "all", "--note", "new disks")
    assert (ran.code, at_gitlab(kit)["paused"]) == (0, True), ran.err
    assert "note: web: takes no jobs on any of its hosts: paused1; jobs that run go on" in ran.err
    assert at_gitlab(kit)["maintenance_note"] == f"{mark}\nrunnerkit paused: new disks"
    assert kit.plan().titles == [], "nobody unpauses it unasked"
    shown = kit.run("status", "--host", "all")
    assert "is paused at GitLab: no host of it takes jobs (new disks)" in shown.out + shown.err
    kit.run("runner.pause", "--host", "all", "--note", "newer disks")
    assert at_gitlab(kit)["maintenance_note"] == f"{mark}\nrunnerkit paused: newer disks"

    assert kit.run("runner.resume", "--host", "all").code == 0
    assert (at_gitlab(kit)["paused"], at_gitlab(kit)["maintenance_note"]) == (False, mark)
    again = kit.run("runner.resume", "--host", "all")
    assert (again.code, "note: web: was not paused" in again.err) == (0, True)
    assert kit.job("echo again")["state"] == "success"


@pytest.mark.long
def test_a_pause_ends_at_its_time_while_the_kit_does_not_run(kit: Kit, host: BlankHost) -> None:
    settings(kit, host)
    mark = at_gitlab(kit)["maintenance_note"]
    with Watch() as watch:
        ran = kit.run(
            "runner.pause", "--host", "all", "--for", "1h", "--note", "a 'day' \\ of \"rest\""
        )
        assert ran.code == 0, ran.err
        assert at_gitlab(kit)["paused"]
        # An hour later.
        (timer,) = re.findall(r"runnerkit-resume-\d+\.timer", kit.ssh(host, UNITS))
        service = timer.replace("timer", "service")
        assert kit.ssh(host, f"systemctl is-active {timer}").strip() == "active"
        assert (
            "runnerkit paused until"
            in kit.run("status", "--host", "all").out + at_gitlab(kit)["maintenance_note"]
        )
        patterns = forms(kit.world.manage_token)
        assert places(kit, host, patterns) == []
        kit.ssh(host, f"systemctl start --no-block {service}")
        until(lambda: not at_gitlab(kit)["paused"])
    assert watch.saw(patterns) == []
    assert not any(one in ran.out + ran.err for one in patterns)
    assert at_gitlab(kit)["maintenance_note"] == mark
    until(lambda: kit.ssh(host, UNITS) == "")
    assert kit.plan().titles == []


@pytest.mark.long
def test_the_timer_goes_off_by_itself(kit: Kit, host: BlankHost) -> None:
    """Also where the settings still give a former token of the runner."""
    settings(kit, host)
    kit.env["RUNNER_TOKEN"] = "glrt-former0000000000000"
    assert kit.run("runner.pause", "--host", "all", "--for", "1m").code == 0
    shown = kit.run("status", "--host", "all")
    assert "is paused at GitLab until" in shown.out + shown.err
    until(lambda: not at_gitlab(kit)["paused"], 120)
    until(lambda: kit.ssh(host, UNITS) == "")


@pytest.mark.long
def test_what_somebody_paused_anew_is_left_to_them(kit: Kit, host: BlankHost) -> None:
    settings(kit, host)
    kit.run("runner.pause", "--host", "all", "--for", "1h")
    (service,) = re.findall(r"runnerkit-resume-\d+\.service", kit.ssh(host, UNITS))
    kit.run("runner.pause", "--host", "all", "--note", "for good")
    kit.ssh(host, f"systemctl start {service}; :")
    until(lambda: kit.ssh(host, UNITS) == "")
    assert at_gitlab(kit)["paused"]
    kit.run("runner.pause", "--host", "all", "--for", "1h")
    assert kit.ssh(host, UNITS) != ""
    assert kit.run("runner.resume", "--host", "all").code == 0
    assert (kit.ssh(host, UNITS), at_gitlab(kit)["paused"]) == ("", False)


def refused(ran: Ran, *words: str) -> None:
    assert ran.code == 1
    assert all(word in ran.err for word in words), ran.err


@pytest.mark.long
def test_what_cannot_be_is_refused_and_changes_nothing(kit: Kit, host: BlankHost) -> None:
    settings(kit, host)
    before = at_gitlab(kit)
    for wrong in ("0", "-5m", "soon", "59s", "31d", "1.5x"):
        refused(
            kit.run("runner.pause", "--host", "all", f"--for={wrong}"),
            "no time from a minute to 30 days",
        )
    refused(
        kit.run("runner.pause", "--host", "all", "--note", "x" * 1024),
        "letters more than GitLab keeps",
    )
    refused(kit.run("runner.pause", "--host", "all", "--note", "two\nlines"), "more than a line")
    kit.env["RESUME_TOKEN"] = ""
    refused(kit.run("runner.pause", "--host", "all", "--for", "1h"), "RESUME_TOKEN gives none")
    kit.env["RESUME_TOKEN"] = kit.world.create_token
    refused(kit.run("runner.pause", "--host", "all", "--for", "1h"), "may not do that")
    kit.env["GITLAB_TOKEN"] = ""
    refused(kit.run("runner.pause", "--host", "all"), "there is no API token", "runner.drain")
    settings(kit, host, paused=False)
    for verb in ("pause", "resume"):
        refused(kit.run(f"runner.{verb}", "--host", "all"), "the settings say paused = false")
    after = at_gitlab(kit)
    assert all(after[key] == before[key] for key in ("paused", "maintenance_note"))
    assert kit.ssh(host, UNITS) == ""
    assert kit.ssh(host, f"grep -c paused {CONFIG}; :").strip() in ("0", "1")
