"""A manager that waits for its jobs: no job is lost, and none stays without a manager."""

import json
import time

import pytest

from sandbox.world import BlankHost
from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit

pytestmark = pytest.mark.usefixtures("counted")

INSIDE = "docker ps -q --filter label=com.gitlab.gitlab-runner.type=build"
MANAGER = (
    "docker container inspect -f '{{json .State}} {{.HostConfig.RestartPolicy.Name}}' gitlab-runner"
)


def long_job(kit: Kit, *hosts: BlankHost) -> tuple[int, BlankHost]:
    """A job that runs until somebody writes /end in its container, and which of the hosts took it."""
    number = kit.gitlab.queue(["until [ -e /end ]; do sleep 0.1; done", "echo ends well"])
    return number, taken_by(kit, number, *hosts)


def taken_by(kit: Kit, number: int, *hosts: BlankHost) -> BlankHost:
    """The host on which a job's container runs, once one does."""
    until = time.monotonic() + 180
    while time.monotonic() < until:
        for host in hosts:
            if kit.ssh(host, INSIDE):
                return host
    raise AssertionError(kit.gitlab.job(number))


@pytest.mark.long
def test_a_manager_whose_jobs_do_not_end_comes_again_after_them(kit: Kit, blank: Blank) -> None:
    host = blank("docker", "drained")
    kit.new_token("drained")
    kit.settings(host)
    kit.bootstrap()
    before = kit.ssh(host, MANAGER)
    number, _ = long_job(kit, host)

    kit.settings(host, manager={"stop_timeout": 2, "environment": {"A": "b"}})
    for _ in range(2):  # by a second signal the job would end
        ran = kit.bootstrap(code=1)
        assert "timeout: the jobs did not end within 2 s" in ran.hosts["drained"]["error"]
    kit.ssh(host, f"docker exec $({INSIDE}) touch /end")
    assert kit.gitlab.wait(number)["state"] == "success"
    started = json.loads(before.rpartition(" ")[0])["StartedAt"]
    kit.ssh(
        host,
        "until docker container inspect -f '{{.State.Running}} {{.State.StartedAt}}' gitlab-runner |"
        f" grep true | grep -v {started}; do sleep 0.1; done",
    )
    assert kit.ssh(host, MANAGER).split()[-1] == "always"
    assert kit.job("echo again")["state"] == "success"

    kit.settings(host, manager={"environment": {"A": "b"}})
    (title,) = kit.bootstrap().titles
    assert title.startswith("replace the container gitlab-runner (environment A)")
