"""Hosts that take no more jobs: none is lost, whatever happens meanwhile, until they are resumed."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from runnerkit.place import ROOT
from sandbox.world import BlankHost
from tests.hosts.conftest import Blank
from tests.hosts.kit import HEEDING, Kit, Ran, until
from tests.hosts.test_drain import INSIDE, MANAGER, long_job
from tests.pages import commands

HERE = "tests/hosts/test_runner_drain.py"
PAGE = f"{HERE}::test_a_job_lives_through_a_drain_and_none_is_taken_until_it_is_resumed"
LONG = ["until [ -e /end ]; do sleep 0.1; done"]
MARK = "/var/lib/runnerkit/drained.json"
counts = pytest.mark.usefixtures("counted")


def ready(kit: Kit, *hosts: BlankHost, **more: Any) -> None:
    """Hosts set up, with a runner that they share."""
    kit.new_token("drains")
    kit.settings(*hosts, **more)
    kit.bootstrap()
    kit.settled()


def drain(kit: Kit, *words: str, code: int = 0) -> Ran:
    ran = kit.run("runner.drain", "--host", "all", "--json", *words)
    assert ran.code == code, ran.out + ran.err
    return ran


def end(kit: Kit, host: BlankHost) -> None:
    """Have the long job of a host end well."""
    kit.ssh(host, f"docker exec $({INSIDE}) touch /end")


def manager(kit: Kit, host: BlankHost) -> tuple[bool, str]:
    """Whether it runs, and its restart policy."""
    state, _, policy = kit.ssh(host, MANAGER).strip().rpartition(" ")
    return json.loads(state)["Running"], policy


class Draining:
    """A drain that goes on."""

    def __init__(self, kit: Kit, *words: str) -> None:
        command, env = kit.command("runner.drain", "--host", "all", *words)
        self.process = subprocess.Popen(
            [*HEEDING, *command], env=env, cwd=kit.folder, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip

    def until(self, word: str) -> str:
        """Wait for a line of what it tells."""
        assert self.process.stderr
        for line in self.process.stderr:
            if word in line:
                return line
        raise AssertionError(f"it ended without a word of {word}")

    def end(self) -> Ran:
        out, err = self.process.communicate(timeout=120)
        assert "Traceback" not in err
        return Ran(self.process.returncode, out, err)


@counts
def test_a_job_lives_through_a_drain_and_none_is_taken_until_it_is_resumed(
    kit: Kit, blank: Blank
) -> None:
    host = blank("docker", "ci1")
    first, last = (line.split()[1:] for line in commands(PAGE))
    ready(kit, host)
    number, _ = long_job(kit, host)
    (planned,) = drain(kit, "--dry-run", code=2).titles
    assert planned.startswith("have gitlab-runner take no more jobs, and end after 1 job: ")
    assert manager(kit, host) == (True, "always")

    draining = Draining(kit)
    assert f"#{number} for " in draining.until("waiting for 1 job")
    later = kit.gitlab.queue(["echo later"])
    (again,) = drain(kit, "--deadline", "2s", code=1).hosts.values()
    assert [job["id"] for job in again["jobs"]] == [str(number)]
    assert "not drained within 2s: 1 job" in again["error"]
    end(kit, host)
    ran = draining.end()
    assert (ran.code, "lost" in ran.err) == (0, False), ran.err
    assert ran.out.splitlines()[1].split()[:3] == ["ci1", "drained", "0"]
    assert kit.gitlab.job(number)["state"] == "success"
    assert manager(kit, host) == (False, "no")
    assert json.loads(kit.ssh(host, f"cat {MARK}"))["by"].startswith("root@")

    assert "drained by root@" in kit.run(*first).err
    assert "nothing to change" in kit.run("plan", "--host", "all").out
    assert kit.bootstrap().titles == []
    assert manager(kit, host) == (False, "no")
    status = kit.run("status", "--host", "all", "--json")
    assert (status.code, len(status.found("manager-drained"))) == (0, 1)
    assert kit.gitlab.job(later)["state"] == "pending"

    assert kit.run(*last).out.splitlines()[1].split()[:3] == ["ci1", "takes", "jobs"]
    assert kit.gitlab.wait(later)["state"] == "success"
    assert manager(kit, host) == (True, "always")
    assert "drained" not in kit.ssh(host, f"ls -A {MARK.rpartition('/')[0]}")
    assert drain(kit, "--resume").titles == []


@counts
@pytest.mark.long
def test_of_several_hosts_all_stop_taking_jobs_before_any_is_waited_for(
    kit: Kit, blank: Blank
) -> None:
    """Ctrl-C leaves them so, and what a killed run began is gone on with."""
    hosts = [blank("docker", name) for name in ("drains2", "drains3")]
    ready(kit, *hosts, manager={"concurrent": 1})
    numbers = [kit.gitlab.queue(LONG) for _ in hosts]
    until(lambda: all(kit.ssh(host, INSIDE) for host in hosts))
    draining = Draining(kit)
    for _ in hosts:
        draining.until("waiting for 1 job")
    assert [manager(kit, host) for host in hosts] == [(True, "no")] * 2
    draining.process.send_signal(signal.SIGINT)
    ran = draining.end()
    assert ran.code == 130
    assert "take no more jobs, and go on draining" in ran.err
    assert "inv runner.drain --host drains" in ran.err
    assert " waits on, with --resume " in ran.err

    os.killpg((again := Draining(kit)).process.pid, signal.SIGKILL)
    again.end()
    for host in hosts:
        end(kit, host)
    assert {one["state"] for one in drain(kit).hosts.values()} == {"drained"}
    assert [kit.gitlab.wait(number)["state"] for number in numbers] == ["success"] * 2


@pytest.mark.long
def test_jobs_that_are_left_at_the_deadline_are_ended_and_named(
    kit: Kit, blank: Blank, counted: set[int]
) -> None:
    host = blank("docker", "drains4")
    ready(kit, host)
    number, _ = long_job(kit, host)
    counted.add(number)
    ran = drain(kit, "--deadline", "1s", "--on-deadline", "kill")
    assert [job["id"] for job in ran.hosts["drains4"]["lost"]] == [str(number)]
    job = kit.gitlab.wait(number)
    assert (job["state"], job["failure_reason"]) == ("failed", "runner_system_failure")
    assert manager(kit, host) == (False, "no")
    assert kit.ssh(host, INSIDE) == ""


@counts
@pytest.mark.long
def test_a_host_that_drains_is_resumed_and_takes_jobs_after_those_of_before(
    kit: Kit, blank: Blank
) -> None:
    host = blank("docker", "drains5")
    ready(kit, host)
    number, _ = long_job(kit, host)
    draining = Draining(kit)
    draining.until("waiting for 1 job")
    ran = kit.run("runner.drain", "--host", "all", "--resume")
    other = draining.end()
    assert (other.code, "somebody has resumed the host" in other.err) == (1, True)
    assert ran.out.splitlines()[1].split()[:2] == ["drains5", "draining"]
    assert "takes jobs again once 1 job: " in ran.err
    assert manager(kit, host) == (True, "always")
    end(kit, host)
    assert kit.gitlab.wait(number)["state"] == "success"
    assert kit.job("echo again")["state"] == "success"


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("--deadline soon", "--deadline soon: no time to wait"),
        ("--deadline 0", "--deadline 0: no time to wait"),
        ("--deadline -5m", "--deadline -5m: no time to wait"),
        ("--deadline 2020-01-01", "no time to wait"),
        ("--on-deadline kill", "no deadline"),
        ("--deadline 1m --on-deadline stop", "no such way"),
        ("--resume --deadline 1m", "--resume waits for nothing"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_a_host_is_touched(
    words: str, what: str, tmp_path: Path
) -> None:
    env = {**os.environ, "RUNNERKIT_SETTINGS": ""}
    ran = subprocess.run(
        [str(ROOT / "inv"), "runner.drain", "--host", "root@192.0.2.1", *words.split()],
        env=env, cwd=tmp_path, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 1
    assert what in ran.stderr
