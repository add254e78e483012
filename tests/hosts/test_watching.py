"""A host watched: what its manager says, what is noted of it, what it answers a Prometheus."""

import json
import signal
import subprocess
import time
from collections.abc import Callable

from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit

GONE = {"gone": {"address": "root@127.0.0.1:1"}}
UPGRADES = "DEBIAN_FRONTEND=noninteractive apt-get install -qqy --no-install-recommends unattended-upgrades"
AUTO = 'APT::Periodic::Unattended-Upgrade "1";'


def until(tell: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not tell():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_host_is_watched(kit: Kit, blank: Blank) -> None:
    host = blank("docker", "watch1")
    kit.mirrored(host)
    kit.settings(host)
    kit.new_token()
    kit.bootstrap()

    number = kit.job("exit 3")["id"]
    of_job = kit.run("runner.logs", "--host", "all", "--job", str(number))
    assert of_job.code == 0, of_job.err
    lines = of_job.out.splitlines()
    assert all(line.startswith("watch1  20") and f"job={number}" in line for line in lines)
    assert "received" in lines[0]
    assert "\\x1b" not in of_job.out, "no colours"
    bad = kit.run("runner.logs", "--host", "all", "--errors", "--since", "10m", "--json")
    rows = [json.loads(line) for line in bad.out.splitlines()]
    assert [(one["level"], one["job"]) for one in rows] == [("warning", number)]
    assert kit.env["RUNNER_TOKEN"] not in of_job.out + bad.out

    kit.settings(host, hosts=GONE)
    command, env = kit.command("runner.logs", "--host", "all", "--follow", "--job", str(number + 1))
    with (kit.folder / "log").open("wb") as log:
        following = subprocess.Popen(command, env=env, cwd=kit.folder, stdout=log, stderr=log)
        text = (kit.folder / "log").read_text
        until(lambda: "error: gone:" in text())
        assert kit.job("echo")["id"] == number + 1
        until(lambda: "Job succeeded" in text())
        kit.ssh(host, "docker restart -t 60 gitlab-runner")
        until(lambda: kit.ssh(host, "pgrep -fc '[l]ogs --timestamps --follow'").strip() == "1")
        assert kit.job("echo")["id"] == number + 2
        following.send_signal(signal.SIGINT)
        assert following.wait(30) == 1, "one host is gone"
    assert f"job={number + 2}" not in text()
    left = "! pgrep -f '[l]ogs --timestamps --follow'"
    until(lambda: kit.ssh(host, f"{left} >/dev/null && echo none", check=False) == "none\n")

    kit.ssh(host, "docker rm -f gitlab-runner")
    none = kit.run("runner.logs", "--host", "watch1")
    assert (none.code, "inv bootstrap --host NAME runs it" in none.err) == (1, True), none.err
