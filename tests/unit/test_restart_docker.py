"""dockerd is started anew: after the manager's jobs, or not at all, and never for nothing."""

import signal
import subprocess
from pathlib import Path

import pytest

from runnerkit import converge
from runnerkit.facts import Facts
from runnerkit.place import LOCKS
from runnerkit.plan import Script
from runnerkit.steps import daemon_json, docker_engine
from tests.unit.build import DAEMON, converged, want

STUB = """#!/bin/sh
echo "$(basename "$0") $*" >>FOLDER/asked
case "$(basename "$0") $*" in
  "docker inspect"*Pid*) echo PID 2026-11-27T10:00:00Z ;;
  "docker inspect"*) echo true ;;
  "docker ps"*) echo job ;;
  "docker wait"*) WAIT ;;
  "systemctl restart"*) RESTART ;;
  "docker info"*) [ ! -e FOLDER/down ] ;;
  "apt-get"*) APT ;;
esac
"""


def restart(have: Facts) -> Script:
    wanted = want(docker={"daemon": {"log-driver": "json-file"}}, manager={"stop_timeout": 2})
    changes = converge.plan(wanted, have)
    (found,) = [one for one in changes if one.title == "restart docker"]
    assert isinstance(found, Script)
    return found


def run(
    folder: Path, script: Script, wait: str = ":", restarts: str = ":", apt: str = ":"
) -> tuple[int, str, str]:
    """Its exit code, what it says, and what it asked the programs of the host, `PID quits` at last
    where the manager was told to end after its jobs."""
    stub = STUB.replace("FOLDER", str(folder)).replace("WAIT", wait).replace("RESTART", restarts)
    # What is started in the background of a shell inherits that it is deaf to it.
    manager = subprocess.Popen(["env", "--default-signal=QUIT", "tail", "-f", "/dev/null"])
    stub = stub.replace("APT", apt).replace("PID", str(manager.pid))
    for name in ("docker", "systemctl", "service", "sleep", "dpkg", "apt-get"):
        (file := folder / name).write_text(stub)
        file.chmod(0o755)
    (folder / "daemon.json").write_text("new")
    (folder / "daemon.json.previous").write_text("old")
    text = script.text.replace(DAEMON, str(folder / "daemon.json"))
    text = text.replace("/run/systemd/system", str(folder)).replace(LOCKS, str(folder))
    ran = subprocess.run(
        ["sh"], input=text, text=True, capture_output=True, check=False,
        env={"PATH": f"{folder}:/usr/bin:/bin"},
    )  # fmt: skip
    manager.terminate()
    quits = "PID quits\n" if manager.wait() == -signal.SIGQUIT else ""
    return ran.returncode, ran.stderr, (folder / "asked").read_text() + quits


BUSY = converged(daemon={"log-driver": "local"}, jobs=1)


def test_jobs_end_before_docker_does(tmp_path: Path) -> None:
    code, _, calls = run(tmp_path, restart(BUSY))
    assert code == 0
    assert "PID quits" in calls
    assert calls.index("docker wait") < calls.index("docker update --restart=always")
    assert calls.index("--restart=always") < calls.index("systemctl restart docker")
    assert (tmp_path / "daemon.json").read_text() == "new"


def test_jobs_that_do_not_end_keep_docker_and_its_file_as_they_were(tmp_path: Path) -> None:
    script = restart(BUSY)
    code, output, calls = run(tmp_path, script, wait="exit 1")
    assert (code, "timeout: the jobs did not end" in output) == (1, True)
    assert "systemctl" not in calls
    assert "PID quits" in calls
    assert calls.index("docker wait") < calls.index("update --restart=always")
    assert (tmp_path / "daemon.json").read_text() == "old"
    assert "stop_timeout" in next(hint.fix for hint in script.hints if hint.pattern in output)


def test_a_daemon_that_refuses_its_file_gets_the_old_one_back(tmp_path: Path) -> None:
    down = f"case $(cat {tmp_path}/daemon.json) in new) touch {tmp_path}/down ;; *) rm -f {tmp_path}/down ;; esac"
    code, output, calls = run(
        tmp_path, restart(converged(daemon={"log-driver": "local"})), restarts=down
    )
    assert (code, "the old one is back" in output) == (1, True)
    assert calls.count("systemctl restart docker") == 2
    assert (tmp_path / "daemon.json").read_text() == "old"
    assert not (tmp_path / "down").exists()


def complete() -> Script:
    wanted = want(manager={"stop_timeout": 2})
    (change,) = docker_engine.changes(wanted, converged(unpacked=True, jobs=1))
    assert isinstance(change, Script)
    return change


@pytest.mark.parametrize(("apt", "expected"), [(":", 0), ("exit 100", 100)])
def test_the_manager_comes_again_when_packages_are_completed_or_not(
    tmp_path: Path, apt: str, expected: int
) -> None:
    code, _, calls = run(tmp_path, complete(), apt=apt)
    assert code == expected
    assert "PID quits" in calls
    order = ("docker wait", "apt-get", "--restart=always", "docker start")
    places = [calls.index(call) for call in order]
    assert places == sorted(places)


def test_it_comes_again_too_where_its_jobs_do_not_end(tmp_path: Path) -> None:
    script = complete()
    code, output, calls = run(tmp_path, script, wait="exit 1")
    assert (code, "timeout: the jobs did not end" in output) == (1, True)
    assert "PID quits" in calls
    assert calls.index("docker wait") < calls.index("update --restart=always")
    assert "apt-get" not in calls
    assert "stop_timeout" in next(hint.fix for hint in script.hints if hint.pattern in output)


def test_packages_of_a_host_without_jobs_are_completed_beside_its_manager() -> None:
    (change,) = docker_engine.changes(want(), converged(unpacked=True))
    assert isinstance(change, Script)
    assert "QUIT" not in change.text


@pytest.mark.parametrize("named", [[], ["http://m"]])
def test_a_reload_waits_for_the_mirrors_that_the_host_then_has(named: list[str]) -> None:
    own = ["http://own"]
    have = converged(daemon={"registry-mirrors": own}, info={"ServerVersion": "25.0", "RegistryConfig": {"Mirrors": ["http://own/"]}})  # fmt: skip
    docker = {"daemon": {"debug": True}} | ({"registry_mirrors": named} if named else {})
    reload = next(
        one
        for one in daemon_json.changes(want(docker=docker), have)
        if one.title == "reload docker"
    )
    assert isinstance(reload, Script)
    assert f"= '{(named or own)[0]}/ '" in reload.text or f"= '{(named or own)[0]}/'" in reload.text
