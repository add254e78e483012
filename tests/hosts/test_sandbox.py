"""The sandbox is what it says: blank hosts, a mirror, a GitLab that everyone reaches."""

import os
import subprocess
import sys
import time
from pathlib import Path

import docker
import pytest

from runnerkit.place import ROOT
from sandbox import network
from sandbox.errors import SandboxError
from sandbox.names import Names
from sandbox.world import BlankHost, World, down, up
from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit

HERE = "tests/hosts/test_sandbox.py"
KINDS = ("systemd", "plain", "docker")


def ssh(world: World, host: BlankHost, script: str, user: str = "root", check: bool = True) -> str:
    """What a script prints on a host."""
    command = ["ssh", "-F", "none", "-o", "BatchMode=yes", "-i", str(host.key)]
    command += ["-o", f"UserKnownHostsFile={world.state}/known_hosts"]
    command += ["-o", "StrictHostKeyChecking=yes", f"{user}@{host.address}", "sh", "-s"]
    ran = subprocess.run(
        command, input=script, text=True, capture_output=True, check=False, timeout=120
    )
    assert not check or ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("kind", ["systemd", "plain"])
def test_a_blank_host_is_blank(world: World, blank: Blank, kind: str) -> None:
    host = blank(kind)
    found = ssh(world, host, "command -v python3 python docker dockerd curl wget", check=False)
    assert found == ""
    assert ssh(world, host, "ls -A /var/lib/docker /root/.docker 2>/dev/null || :").split() == [
        "/var/lib/docker:"
    ]
    assert ssh(world, host, "ls /var/lib/apt/lists | grep -c _Packages").strip() != "0"


@pytest.mark.long
def test_a_host_runs_a_registry_from_the_mirror(world: World, blank: Blank) -> None:
    host = blank("docker")
    Kit(world, Path()).mirrored(host)
    run = "docker run -d --name shop -p 127.0.0.1:5077:5000 -v shop:/var/lib/registry registry:2"
    ready = (
        "until docker pull -q 127.0.0.1:5077/none 2>&1 | grep -q 'not found'; do sleep 0.1; done"
    )
    push = "docker tag debian:bookworm 127.0.0.1:5077/web:1 && docker push -q 127.0.0.1:5077/web:1"
    ssh(world, host, f"docker pull -q debian:bookworm && {run} && {ready}; {push}")
    ssh(world, host, f"docker rm -f shop && docker rmi 127.0.0.1:5077/web:1 && {run} && {ready}")
    assert ssh(world, host, "docker pull -q 127.0.0.1:5077/web:1") == "127.0.0.1:5077/web:1\n"


def test_systemd_runs_and_the_plain_host_has_none(world: World, blank: Blank) -> None:
    assert ssh(world, blank("systemd"), "systemctl is-system-running") == "running\n"
    script = "ls -d /run/systemd/system; command -v systemctl"
    assert ssh(world, blank("plain"), script, check=False) == ""


@pytest.mark.parametrize("kind", KINDS)
def test_the_users_of_a_host(world: World, blank: Blank, kind: str) -> None:
    host = blank(kind)
    assert ssh(world, host, "sudo -n id -u", "ops") == "0\n"
    assert ssh(world, host, "sudo -n id -u 2>&1; :", "carol").startswith("sudo: a password is")
    typed = f"echo {world.sudo_password}"
    assert ssh(world, host, f"{typed} | sudo -S id -u 2>/dev/null", "carol") == "0\n"
    refused = ssh(world, host, f"{typed} | sudo -S id -u 2>&1", "mallory", check=False)
    assert "0\n" not in refused


def test_each_host_has_a_key_of_its_own(world: World, blank: Blank) -> None:
    known = [Path(world.state / "known_hosts").read_text() for _ in range(2) if blank("plain")]
    keys = [line.split()[2] for line in known[-1].splitlines()]
    assert len(keys) == len(set(keys))


def test_a_host_of_the_same_name_is_a_fresh_one(world: World, blank: Blank) -> None:
    ssh(world, blank("plain", "same"), "touch /root/trace")
    assert ssh(world, blank("plain", "same"), "ls /root") == ""


def test_the_mirror_serves_docker_hub_names(world: World, blank: Blank) -> None:
    host = blank("docker")
    Kit(world, Path()).mirrored(host)
    ssh(world, host, f"docker pull debian:bookworm && docker pull {world.runner_image}")
    assert ssh(world, host, "docker run --rm debian:bookworm echo it runs") == "it runs\n"


def test_containers_inside_a_host_reach_gitlab(world: World, blank: Blank) -> None:
    host = blank("docker")
    Kit(world, Path()).mirrored(host)
    address, port = world.gitlab_url.removeprefix("http://").split(":")
    script = (
        f"exec 3<>/dev/tcp/{address}/{port};"
        f" printf 'GET /api/v4/user HTTP/1.0\\r\\nPRIVATE-TOKEN: {world.api_token}\\r\\n\\r\\n' >&3;"
        " head -n 1 <&3"
    )
    answer = ssh(world, host, f"docker run --rm -i debian:bookworm bash <<'END'\n{script}\nEND")
    assert "200" in answer


@pytest.mark.long
def test_hosts_share_no_state_of_docker(world: World, blank: Blank) -> None:
    ids = {ssh(world, blank("docker"), "docker info --format '{{.ID}}'") for _ in range(2)}
    assert len(ids) == 2
    assert ssh(world, blank("docker"), "docker images -q; docker ps -aq") == ""


def test_a_second_up_takes_no_time_and_changes_nothing(world: World) -> None:
    client = docker.from_env()
    before = {each.id for each in client.containers.list(filters=world.names.filter)}
    assert before
    started = time.monotonic()
    again = up(lambda _: None)
    assert time.monotonic() - started < 20  # to make it takes minutes
    assert again == world
    assert {each.id for each in client.containers.list(filters=world.names.filter)} == before


def test_two_sandboxes_whose_names_ask_for_one_place_lie_side_by_side() -> None:
    client = docker.from_env()
    first, second = Names("neighbour34"), Names("neighbour35")
    assert next(network.places(first)) == next(network.places(second))
    try:
        nets = [network.ensure(client, names) for names in (first, second)]
        again = [network.ensure(client, names) for names in (first, second)]
    finally:
        for names in (first, second):
            for each in client.networks.list(filters=names.filter):
                each.remove()
    assert nets[0] != nets[1]
    assert again == nets


def test_secrets_are_for_their_owner_only(world: World) -> None:
    for name in ("id_ed25519", "tokens.json"):
        assert (world.state / name).stat().st_mode & 0o777 == 0o600


def test_an_unknown_kind_is_refused_with_the_known_ones(world: World) -> None:
    with pytest.raises(SandboxError) as caught:
        world.host("x1", "windows")
    assert caught.value.what == "no kind of host 'windows'"
    assert "systemd, docker, plain, trixie, plain-sid, sid, docker29" in caught.value.fix


@pytest.mark.long
def test_down_leaves_nothing_behind(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the session's sandbox, which stays whole: two live side by side."""
    monkeypatch.setenv("RUNNERKIT_SANDBOX", "short-lived")
    client = docker.from_env()
    other = up(lambda _: None)
    assert other.gitlab_url != world.gitlab_url
    other.host("one", "docker")
    mounts = client.containers.get("short-lived-host-one").attrs["Mounts"]
    volumes = {mount["Name"] for mount in mounts if mount["Type"] == "volume"}
    assert len(volumes) == 2
    down(lambda _: None)
    marked = Names("short-lived").filter
    assert client.containers.list(all=True, filters=marked) == []
    assert client.networks.list(filters=marked) == []
    assert not volumes & {each.id for each in client.volumes.list()}
    assert not other.state.exists()
    assert ssh(world, world.host("survivor", "plain"), "echo well") == "well\n"
    world.remove("survivor")


def test_two_runs_of_tests_do_not_share_a_sandbox(world: World) -> None:
    """They would take each other's jobs, and delete each other's runners."""
    env = {**os.environ, "RUNNERKIT_SANDBOX": world.names.sandbox}
    env.pop("PYTEST_XDIST_WORKER", None)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "0",
        f"{HERE}::test_a_blank_host_is_blank",
    ]
    ran = subprocess.run(command, env=env, cwd=ROOT, text=True, capture_output=True, check=False)
    assert ran.returncode == 1
    assert f"other tests are at work in the sandbox {world.names.sandbox}" in ran.stdout
