"""Managers brought to another version: no job is lost, and what does not come up goes back by itself."""

import json
import tomllib

import pytest

from sandbox.manager import ARCHITECTURE
from sandbox.world import World
from tests.hosts.conftest import Blank
from tests.hosts.engines import engine
from tests.hosts.engines import host as of_kind
from tests.hosts.kit import Kit
from tests.hosts.test_drain import long_job
from tests.hosts.test_findings import OWN, SAYS_OLD
from tests.hosts.test_killed import Running, in_host
from tests.hosts.versions import (
    BROKEN,
    END,
    LEFT,
    NEW,
    OLD,
    ONE,
    RUNS,
    broken,
    foreign,
    ready,
    runs,
    standings,
    upgrade,
    version,
)

pytestmark = pytest.mark.usefixtures("counted")


def test_a_job_lives_through_an_upgrade_and_the_settings_say_so(
    kit: Kit, blank: Blank, world: World
) -> None:
    host = blank("docker", "up1")
    version(world, "v19.3.1")
    ready(kit, host)
    number, _ = long_job(kit, host)
    running = Running(kit, "runner.upgrade", "--host", "all", "--to", "v19.3.1", "--write")
    running.until("replace the container gitlab-runner (image")
    kit.ssh(
        host, f"until docker logs gitlab-runner 2>&1 | grep -q graceful; do sleep 0.1; done; {END}"
    )
    ended = running.end()
    assert ended.code == 0, ended.err
    assert kit.gitlab.wait(number)["state"] == "success"
    runs(kit, host, NEW)
    assert tomllib.loads((kit.folder / "runnerkit.toml").read_text())["manager"]["image"] == NEW
    assert kit.plan().titles == []


@pytest.mark.long
@pytest.mark.parametrize("kind", BROKEN)
def test_a_manager_that_does_not_come_up_is_put_back_and_no_job_is_lost(
    kit: Kit, blank: Blank, world: World, kind: str
) -> None:
    host = blank("docker", "up2")
    image = broken(world, "v19.4.0", kind)
    ready(kit, host)
    before = (kit.folder / "runnerkit.toml").read_text()
    number, _ = long_job(kit, host)
    running = Running(kit, "runner.upgrade", "--host", "all", "--to", "v19.4.0", "--write")
    running.until("replace the container gitlab-runner (image")
    kit.ssh(
        host, f"until docker logs gitlab-runner 2>&1 | grep -q graceful; do sleep 0.1; done; {END}"
    )
    waits = kit.gitlab.queue(["echo waits"])
    ended = running.end()
    assert ended.code == 1
    assert "put back, as the new one did not come up" in ended.err
    assert [kit.gitlab.wait(one)["state"] for one in (number, waits)] == ["success"] * 2
    runs(kit, host, OLD)
    assert "put back" in ended.out and image in ended.out
    assert (kit.folder / "runnerkit.toml").read_text() == before
    assert kit.plan().titles == []


@pytest.mark.long
def test_where_the_canary_fails_the_others_are_not_touched(
    kit: Kit, blank: Blank, world: World
) -> None:
    hosts = [blank("docker", name) for name in ("ca1", "ca2", "ca3")]
    broken(world, "v19.4.0", "crashes")
    version(world, "v19.3.1")
    ready(kit, *hosts)
    before = [kit.ssh(host, ONE) for host in hosts[:2]]
    ran = upgrade(kit, "--to", "v19.4.0", "--canary", "ca3", code=1)
    assert standings(ran) == {"ca1": "not begun", "ca2": "not begun", "ca3": "put back"}
    assert "not begun, as ca3 failed" in ran.hosts["ca1"]["error"]
    assert [kit.ssh(host, ONE) for host in hosts[:2]] == before
    runs(kit, hosts[2], OLD)

    # Jobs' containers do not start on the first: it is not begun either.
    kit.ssh(hosts[0], "iptables -I DOCKER-USER -j DROP")
    before = [kit.ssh(host, ONE) for host in hosts]
    ran = upgrade(kit, "--to", "v19.3.1", code=1)
    assert standings(ran) == {"ca1": "as it was", "ca2": "not begun", "ca3": "not begun"}
    assert [kit.ssh(host, ONE) for host in hosts] == before
    kit.ssh(hosts[0], "iptables -D DOCKER-USER -j DROP")

    # One is down: the others go on, and the next run goes on from there.
    kit.ssh(hosts[1], "systemctl stop ssh.socket ssh", check=False)
    ran = upgrade(kit, "--to", "v19.3.1", code=1)
    assert standings(ran) == {"ca1": "upgraded", "ca2": "failed", "ca3": "upgraded"}
    in_host(kit, hosts[1], "systemctl start ssh")
    ran = upgrade(kit, "--to", "v19.3.1")
    assert standings(ran) == {"ca1": "ok", "ca2": "upgraded", "ca3": "ok"}
    assert ran.hosts["ca1"]["execs"] == 1
    for host in hosts:
        runs(kit, host, NEW)


@pytest.mark.long
def test_a_drained_host_is_upgraded_and_not_started(kit: Kit, blank: Blank, world: World) -> None:
    host = blank("docker", "up5")
    version(world, "v19.3.1")
    ready(kit, host)
    mark = json.dumps({"by": "ann", "since": "today"})
    kit.ssh(host, f"""docker update --restart=no gitlab-runner; docker stop gitlab-runner
        echo '{mark}' >/var/lib/runnerkit/drained.json""")  # fmt: skip
    for state in ("upgraded", "ok"):
        assert standings(upgrade(kit, "--to", "v19.3.1")) == {"up5": state}
    assert kit.ssh(host, RUNS) == f"{NEW} false no\n"
    assert kit.ssh(host, LEFT) == "gitlab-runner\n"


@pytest.mark.long
def test_what_cannot_run_is_told_before_anything_runs_differently(
    kit: Kit, blank: Blank, world: World
) -> None:
    host = blank("docker", "up6")
    ready(kit, host)
    before = kit.ssh(host, ONE)
    other = "arm64" if ARCHITECTURE == "x86_64" else "amd64"
    foreign(world, "v19.5.0", other)
    for words, why in {
        ("--to", "v19.9.9"): "v19.9.9",
        ("--to", f"sha256:{'0' * 64}"): "0000",
        ("--to", "v19.5.0"): f"is for {other}",
    }.items():
        error = upgrade(kit, *words, code=1).hosts[host.name]["error"]
        assert why in error, error
        assert kit.ssh(host, ONE) == before


@pytest.mark.long
def test_a_pair_that_cannot_talk_is_refused_with_the_one_that_works(kit: Kit, world: World) -> None:
    """An engine too new for the manager by its own narrowing, and one too old as a wrapper plays it."""
    host = of_kind(world, "up7", "trixie")
    try:
        kit.ssh(host, "echo export DOCKER_MIN_API_VERSION=1.44 >>/etc/default/docker")
        ready(kit, engine(kit, host))
        version(world, "v19.3.1")
        before = kit.ssh(host, ONE)
        error = upgrade(kit, "--to", "v16.11.4", code=1).hosts[host.name]
        assert "gitlab-runner 16.11 speaks Docker's API up to 1.43" in error["error"]
        assert error["fix"] == "name a [manager] image of v17.5 or newer"
        kit.ssh(host, SAYS_OLD)
        error = upgrade(kit, "--to", "v19.3.1", code=1).hosts[host.name]
        assert "speaks API 1.39, and the runner needs 1.40 (Docker 19.03)" in error["error"]
        kit.ssh(host, f"rm {OWN}")
        assert kit.ssh(host, ONE) == before
        upgrade(kit, "--to", "v19.3.1")
        runs(kit, host, NEW)
    finally:
        world.remove(host.name)
