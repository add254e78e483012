"""Killed at any point, the kit, the connection or dockerd: the next run converges."""

import contextlib
import json
import os
import re
import signal
import subprocess
import time
import tomllib
from collections.abc import Iterator

import docker
import pytest

from runnerkit.place import LOCKS, WORK
from sandbox.world import BlankHost
from tests.hosts.conftest import Blank
from tests.hosts.kit import CONFIG, Kit, Ran

DAEMON = "/etc/docker/daemon.json"
STEP = re.compile(r"\[\d+/\d+\] (.*)")
API = {"api_token": {"env": "GITLAB_TOKEN"}}
SESSIONS = """for each in /proc/[0-9]*; do
  case $(tr '\\0' ' ' <"$each/cmdline") in "sshd: root@"*) kill -9 "${each#/proc/}";; esac
done"""


class Running:
    """A bootstrap, or another verb, that goes on, and the changes that it has begun."""

    def __init__(self, kit: Kit, *words: str) -> None:
        command, env = kit.command(*(words or ("bootstrap", "--host", "all")))
        self.process = subprocess.Popen(
            command, env=env, cwd=kit.folder, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        self._stderr: list[str] = []

    def changes(self) -> Iterator[str]:
        """The title of each change as it begins."""
        assert self.process.stderr
        for line in self.process.stderr:
            self._stderr.append(line)
            if found := STEP.search(line):
                yield found[1]

    def until(self, title: str) -> None:
        """Wait for a change to begin."""
        assert any(title in begun for begun in self.changes()), self.end()

    def kill(self) -> list[str]:
        """As `kill -9` does, its children too; the changes that had begun until it came."""
        os.killpg(self.process.pid, signal.SIGKILL)
        begun = list(self.changes())
        self.process.communicate()
        return begun

    def end(self) -> Ran:
        """How it ends by itself."""
        for _ in self.changes():
            pass
        out, _ = self.process.communicate(timeout=300)
        return Ran(self.process.returncode, out, "".join(self._stderr))


def in_host(kit: Kit, host: BlankHost, script: str) -> None:
    """Run a script without ssh, which it may cut."""
    container = docker.from_env().containers.get(kit.world.names.container(f"host-{host.name}"))
    code, output = container.exec_run(["timeout", "120", "sh", "-c", script])
    assert code == 0, output


def by_api(kit: Kit, host: BlankHost, name: str) -> None:
    kit.settings(host, gitlab=API, runners={"web": {"name": name}})
    kit.env["GITLAB_TOKEN"] = kit.world.api_token


def whole(kit: Kit, host: BlankHost, name: str) -> None:
    """Nothing is left to do, doubled, half or lying about."""
    assert kit.plan().titles == []
    (runner,) = kit.gitlab.runners(name)
    assert len(runner["managers"]) == 1
    (entry,) = tomllib.loads(kit.ssh(host, f"cat {CONFIG}"))["runners"]
    assert entry["id"] == runner["id"]
    assert json.loads(kit.ssh(host, f"cat {DAEMON}"))["registry-mirrors"] == [kit.world.mirror_url]
    known = {"config.toml", "config.toml.previous", ".runner_system_id"}
    assert set(kit.ssh(host, f"ls -A {CONFIG.rpartition('/')[0]}").split()) <= known
    known = {"daemon.json", "daemon.json.previous"}
    assert {
        each for each in kit.ssh(host, "ls -A /etc/docker").split() if "daemon" in each
    } <= known
    assert kit.ssh(host, "ls /tmp | grep -v ^systemd-private; :") == ""
    assert kit.ssh(host, "docker ps -aq | wc -l").strip() == "1"


def test_the_kit_killed_at_each_change(kit: Kit, blank: Blank) -> None:
    host = blank("docker")
    by_api(kit, host, "killed")
    planned, killed = kit.plan().titles, list[str]()
    while True:
        running = Running(kit)
        fresh = next((title for title in running.changes() if title not in killed), "")
        if not fresh:
            ended = running.end()
            break
        killed += [fresh, *running.kill()]
    assert ended.code == 0, ended.err
    assert set(killed) >= set(planned)
    whole(kit, host, "killed")


def waiting(kit: Kit, host: BlankHost) -> Running:
    """A run that had to wait for what a cut-off one had left going on the host."""
    hold = "flock 8; echo held; until [ -e /run/enough ]; do sleep 0.05; done"
    in_host(kit, host, f"(mkdir -p -m 700 {LOCKS}; exec 8>>{WORK}; {hold}) >/run/output 2>&1 &")
    in_host(kit, host, "until grep -q held /run/output; do sleep 0.05; done")
    running = Running(kit)
    in_host(kit, host, "until pgrep -fx 'flock 8'; do sleep 0.05; done")
    assert running.process.poll() is None
    in_host(kit, host, "touch /run/enough")
    return running


@pytest.mark.long
def test_the_kit_killed_while_the_token_is_on_its_way(kit: Kit, blank: Blank) -> None:
    """GitLab knows the manager already, config.toml does not have the token yet."""
    host = blank("docker")
    by_api(kit, host, "onway")
    running = waiting(kit, host)
    running.until("register runner onway")
    while not any(one["managers"] for one in kit.gitlab.runners("onway")):
        assert running.process.poll() is None, running.end()
    running.kill()
    assert kit.bootstrap().code == 0
    whole(kit, host, "onway")


@pytest.mark.long
def test_cut_off_in_the_middle_of_the_packages(kit: Kit, blank: Blank) -> None:
    host = blank("systemd")
    by_api(kit, host, "packages")
    running = Running(kit)
    running.until("install Docker")
    kit.ssh(host, "until grep -qs half-installed /var/log/dpkg.log; do sleep 0.05; done")
    running.kill()
    running = Running(kit)
    running.until("install Docker")
    in_host(kit, host, SESSIONS)
    assert_error(running.end(), host, "the connection broke", "run again")
    assert kit.bootstrap().code == 0
    whole(kit, host, "packages")
    assert kit.ssh(host, "dpkg --audit") == ""


PULLS = ("pull ", "put the helper image in place")
# All three wait for the mirror, on its port 5000.
ASKED = """until awk '$3 ~ /:1388$/ && $4 == "01" {n++} END {exit n < 3}' /proc/net/tcp
do sleep 0.05; done"""


@contextlib.contextmanager
def stalled(kit: Kit) -> Iterator[None]:
    """The mirror takes connections and answers none, so that no pull ends meanwhile."""
    mirror = docker.from_env().containers.get(kit.world.names.container("mirror"))
    until = time.monotonic() + 30
    while mirror.status != "paused":
        with contextlib.suppress(
            docker.errors.APIError
        ):  # on a busy machine not all freezes in time
            mirror.pause()
        mirror.reload()
        assert time.monotonic() < until, mirror.status
    try:
        yield
    finally:
        mirror.unpause()


def test_dockerd_or_the_connection_killed_during_the_pulls(kit: Kit, blank: Blank) -> None:
    host = blank("docker")
    by_api(kit, host, "pull")
    for cut in ("kill -9 $(pidof dockerd)", SESSIONS):
        in_host(kit, host, f"({ASKED}\n{cut}) >/dev/null 2>&1 &")
        with stalled(kit):
            errors = assert_error(Running(kit).end(), host, "the connection ", "run again")
        assert [error.startswith(PULLS) for error in errors] == [True] * 3
        assert all(re.search(r": the connection [^:]*broke$", error) for error in errors)
    assert kit.bootstrap().code == 0
    whole(kit, host, "pull")


def assert_error(ran: Ran, host: BlankHost, what: str, fix: str) -> list[str]:
    """The run failed, and said what and what next in a line each."""
    assert ran.code == 1
    assert "Traceback" not in ran.err
    *_, error = ran.err.strip().partition(f"error: {host.name}: ")  # a line each that was at work
    *output, advice = map(str.strip, error.splitlines())
    assert any(what in line for line in output)
    assert advice.startswith("fix: ")
    assert fix in advice
    return output
