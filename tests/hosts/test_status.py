"""How hosts are, on a screen: one that works, one that is stopped, one that is not there."""

import socket
import time
from collections.abc import Callable
from typing import Any

from sandbox.world import BlankHost
from tests.hosts.conftest import Blank
from tests.hosts.kit import CONFIG, Kit


def seen(kit: Kit, until: Callable[[dict[str, Any]], bool], name: str) -> dict[str, Any]:
    """What status tells of a host, once it is so."""
    deadline = time.monotonic() + 60
    while True:
        host = kit.run("status", "--host", name, "--json").hosts[name]
        if until(host):
            return host
        assert time.monotonic() < deadline, host


def test_a_host_tells_what_it_does_and_what_keeps_it_from_it(kit: Kit, blank: Blank) -> None:
    host = blank("docker", "status1")
    kit.mirrored(host)
    kit.settings(host, gitlab={"api_token": {"env": "GITLAB_TOKEN"}})
    kit.env["GITLAB_TOKEN"] = kit.world.api_token
    kit.bootstrap()
    well = kit.run("status", "--host", "all")
    assert well.code == 0, well.out + well.err
    heading, line = well.out.splitlines()
    assert heading.split()[:3] == ["host", "engine", "manager"]
    assert ("1 of 1 online" in line, line.split()[-1]) == (True, "0")

    number = kit.gitlab.queue(["sleep 30"])
    busy = seen(kit, lambda now: bool(now["jobs"]), host.name)
    assert (busy["jobs"][0]["id"], busy["execs"]) == (str(number), 1)
    assert busy["jobs"][0]["project"]
    assert busy["changes"] == busy["findings"] == []

    kit.ssh(host, "docker stop -t 60 gitlab-runner")
    stopped = kit.run("status", "--host", "all")
    assert stopped.code == 1
    assert "error: the manager does not run: no job is taken" in stopped.out
    kit.ssh(host, f"echo 'x = [' >>{CONFIG}")
    broken = kit.run("status", "--host", "all")
    assert broken.code == 1
    assert broken.out.count("is not TOML") == 1
    assert kit.world.runner_image.rpartition(":")[2] in broken.out, "the rest is still told"


def test_a_host_that_is_not_there_does_not_hide_the_others(kit: Kit, blank: Blank) -> None:
    host = blank("plain", "status2")
    kit.settings(host, hosts={"gone": {"address": "root@127.0.0.1:1"}})
    kit.env["RUNNER_TOKEN"] = "glrt-" + "t" * 20
    ran = kit.run("status", "--host", "all")
    assert ran.code == 1
    assert "gone     unreachable" in ran.out
    assert "Connection refused" in ran.out
    (row,) = [line for line in ran.out.splitlines() if line.startswith("status2")]
    assert row.split()[1] == "none", "there is no Docker yet"


def test_of_twenty_hosts_one_unreachable_and_one_silent_keep_nobody_waiting(
    kit: Kit, blank: Blank
) -> None:
    """The silent one greets as sshd does, and then says nothing more."""
    host = blank("plain", "status3")
    twins = [BlankHost(f"twin{n}", host.address, host.kind, host.key) for n in range(18)]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        silent.listen()
        gone = {"gone": {"address": "root@127.0.0.1:1"}}
        mute = {"mute": {"address": f"root@127.0.0.1:{port}"}}
        kit.settings(*twins, hosts=gone | mute)
        (kit.folder / ".ssh").mkdir()
        (kit.folder / ".ssh" / "config").write_text("Host *\n  ConnectTimeout 3\n")
        kit.env |= {"HOME": str(kit.folder), "RUNNER_TOKEN": "glrt-" + "t" * 20}
        ran = kit.run("status", "--host", "all", "--json")
    assert ran.code == 1
    errors = {name: one["error"] for name, one in ran.hosts.items() if one["error"]}
    assert sorted(errors) == ["gone", "mute"]
    assert "no answer within 3 s" in errors["mute"]
    assert [ran.hosts[twin.name]["execs"] for twin in twins] == [1] * 18
    assert max(one["seconds"] for one in ran.hosts.values()) < 20
