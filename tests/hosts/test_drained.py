"""What happens to hosts while they are drained: reboots, Docker's restarts, whole shifts of jobs."""

from dataclasses import replace

import docker
import pytest

from sandbox import keys
from sandbox.world import BlankHost
from tests.hosts.conftest import Blank
from tests.hosts.kit import RESTART, Kit, until
from tests.hosts.test_drain import INSIDE, long_job
from tests.hosts.test_runner_drain import Draining, drain, manager, ready

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("counted")]
MINUTE = ["sleep 60", "echo ends well"]


def rebooted(kit: Kit, host: BlankHost) -> BlankHost:
    """The host after a reboot; its address may be another."""
    machine = docker.from_env().containers.get(kit.world.names.container(f"host-{host.name}"))
    machine.exec_run(["systemctl", "--no-block", "reboot"])
    machine.wait(timeout=120)
    machine.start()
    booted = "until systemctl is-system-running | grep -qE 'running|degraded'; do sleep 0.2; done"
    machine.exec_run(["timeout", "90", "sh", "-c", booted])
    machine.reload()
    (attached,) = machine.attrs["NetworkSettings"]["Networks"].values()
    _, public = machine.exec_run(["cat", "/etc/ssh/ssh_host_ed25519_key.pub"])
    assert isinstance(public, bytes)
    keys.know(kit.world.state, attached["IPAddress"], public.decode().strip())
    return replace(host, address=attached["IPAddress"])


def test_a_drained_host_is_so_after_a_reboot(kit: Kit, blank: Blank) -> None:
    host = blank("docker", "drained1")
    ready(kit, host)
    drain(kit)
    host = rebooted(kit, host)
    kit.settings(host)
    kit.ssh(host, "until docker info >/dev/null 2>&1; do sleep 0.2; done")
    assert manager(kit, host) == (False, "no")
    assert len(kit.run("status", "--host", "all", "--json").found("manager-drained")) == 1
    assert kit.bootstrap().titles == []
    drain(kit, "--resume")
    assert kit.job("echo again")["state"] == "success"


def test_dockerd_that_starts_anew_starts_no_manager_that_drains(
    kit: Kit, blank: Blank, counted: set[int]
) -> None:
    """With live-restore containers run on, but gitlab-runner stops a job whose output has ended."""
    host = blank("docker", "drained2")
    ready(kit, host, docker={"daemon": {"live-restore": True}})
    number, _ = long_job(kit, host)
    counted.add(number)
    draining = Draining(kit)
    draining.until("waiting for 1 job")
    kit.ssh(host, RESTART)
    ran = draining.end()
    assert ran.code == 0, ran.err
    assert manager(kit, host) == (False, "no")
    assert kit.gitlab.wait(number)["state"] == "failed"
    kit.ssh(host, RESTART)
    assert manager(kit, host) == (False, "no")
    drain(kit, "--resume")
    assert kit.job("echo again")["state"] == "success"


def test_jobs_of_a_minute_live_through_a_drain_and_are_all_counted(kit: Kit, blank: Blank) -> None:
    hosts = [blank("docker", name) for name in ("drained3", "drained4")]
    ready(kit, *hosts, manager={"concurrent": 1})
    numbers = [kit.gitlab.queue(MINUTE) for _ in range(3)]
    until(lambda: all(kit.ssh(host, INSIDE) for host in hosts))
    assert {one["state"] for one in drain(kit).hosts.values()} == {"drained"}
    states = [kit.gitlab.job(number)["state"] for number in numbers]
    assert sorted(states) == ["pending", "success", "success"]
    drain(kit, "--resume")
    assert [kit.gitlab.wait(number, 180)["state"] for number in numbers] == ["success"] * 3


CRASH = "kill -9 $(pidof dockerd); until docker version >/dev/null 2>&1; do sleep 0.2; done"


def test_a_crash_of_dockerd_ends_the_jobs_and_leaves_the_host_drained(
    kit: Kit, blank: Blank, counted: set[int]
) -> None:
    """Without live-restore Docker ends what still runs once it is back, and waits for the manager."""
    host = blank("docker", "drained5")
    ready(kit, host)
    number, _ = long_job(kit, host)
    draining = Draining(kit)
    draining.until("waiting for 1 job")
    counted.add(number)
    kit.ssh(host, CRASH)
    ran = draining.end()
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[1].split()[:3] == ["drained5", "drained", "0"]
    assert manager(kit, host) == (False, "no")
    assert kit.ssh(host, INSIDE) == ""
    job = kit.gitlab.job(number)["state"]
    assert (job, f"#{number} " in ran.err and "lost, as the manager was killed" in ran.err) in (
        ("running", True),  # nobody tells GitLab, which gives it up in time
        ("failed", False),  # the manager saw it end, and told
    )
    assert drain(kit).titles == []
    assert kit.bootstrap().titles == []
    assert len(kit.run("status", "--host", "all", "--json").found("manager-drained")) == 1
    drain(kit, "--resume")
    assert manager(kit, host) == (True, "always")
    assert kit.job("echo again")["state"] == "success"


def test_docker_serves_again_soon_after_a_crash_with_a_job(
    kit: Kit, blank: Blank, counted: set[int]
) -> None:
    """The manager waits for Docker, and Docker for the manager, as long as it gives it to stop."""
    host = blank("docker", "drained6")
    ready(kit, host)
    counted.add(long_job(kit, host)[0])
    kit.ssh(host, CRASH)
    assert manager(kit, host) == (True, "always")
    assert kit.job("echo again")["state"] == "success"
