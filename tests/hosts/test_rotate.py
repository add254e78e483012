"""A runner's token gives way to a new one on all of its hosts, and no job is lost."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.world import BlankHost, World
from tests.hosts.kit import CONFIG, Kit
from tests.hosts.test_drain import INSIDE, long_job

API = {"api_token": {"env": "GITLAB_TOKEN"}}
Pair = tuple[BlankHost, BlankHost]


@pytest.fixture(scope="module")
def pair(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two hosts with Docker, the images and the manager, set up at once with one glrt- token."""
    hosts, kit = ("rotates1", "rotates2"), Kit(world, tmp_path_factory.mktemp("rotates"))
    first, second = (world.host(name, "docker") for name in hosts)
    kit.settings(first, second, runners={"web": {"name": "rotates"}})
    kit.new_token("rotates")
    kit.bootstrap()
    yield first, second
    kit.gitlab.forget_runners("rotates")
    for name in hosts:
        world.remove(name)


def shared(kit: Kit, pair: Pair, api: bool = False, **runner: Any) -> int:
    """Both hosts have one new runner, by one token; its number."""
    kit.gitlab.forget_runners("rotates")
    kit.new_token("rotates")
    kit.settings(*pair, gitlab=API if api else {}, runners={"web": {"name": "rotates", **runner}})
    kit.env["GITLAB_TOKEN"] = kit.world.api_token if api else ""
    for host in pair:
        kit.ssh(host, f"sed -i '/^\\[\\[runners/,$d' {CONFIG}")
    kit.bootstrap()
    (found,) = kit.gitlab.runners("rotates")
    return int(found["id"])


def token(kit: Kit, host: BlankHost) -> str:
    (entry,) = tomllib.loads(kit.ssh(host, f"cat {CONFIG}"))["runners"]
    return str(entry["token"])


def rotate(kit: Kit, *words: str, host: str = "all", code: int = 0) -> dict[str, dict[str, Any]]:
    ran = kit.run("runner.rotate", "--host", host, "--json", *words)
    assert ran.code == code, ran.out + ran.err
    return ran.hosts


def everywhere(kit: Kit, pair: Pair, former: str) -> str:
    """The new token, which all have; the former is nowhere, and nothing is left to do."""
    (new,) = {token(kit, host) for host in pair}
    assert new != former
    for host in pair:
        found = kit.ssh(
            host, f"grep -rlF {former} {CONFIG.rpartition('/')[0]} /var/lib/runnerkit; :"
        )
        assert found == ""
        known = {"config.toml", "config.toml.previous", ".runner_system_id"}
        assert set(kit.ssh(host, f"ls -A {CONFIG.rpartition('/')[0]}").split()) <= known
    ran = kit.plan()
    assert all(one["changes"] == [] for one in ran.hosts.values()), ran.out
    (runner,) = kit.gitlab.runners("rotates")
    assert len(runner["managers"]) == len(pair)
    return new


@pytest.mark.parametrize("api", [True, False], ids=["api", "own"])
def test_one_new_token_on_all_hosts_while_a_job_runs(kit: Kit, pair: Pair, api: bool) -> None:
    number = shared(kit, pair, api)
    former, job = token(kit, pair[0]), long_job(kit, pair[0])
    dry = rotate(kit, "--dry-run")
    assert {one["state"] for one in dry.values()} == {"pending"}
    assert token(kit, pair[0]) == former
    before = tomllib.loads(kit.ssh(pair[0], f"cat {CONFIG}"))

    done = rotate(kit)
    assert {one["verified"] for one in done.values()} == {True}
    new = everywhere(kit, pair, former)
    after = tomllib.loads(kit.ssh(pair[0], f"cat {CONFIG}"))
    for one in (before, after):
        for key in ("token", "token_obtained_at", "token_expires_at"):
            del one["runners"][0][key]
    assert (after, after["runners"][0]["id"]) == (before, number)
    assert kit.gitlab.job(job)["state"] == "running"
    kit.ssh(pair[0], f"docker exec $({INSIDE}) touch /end")
    assert kit.gitlab.wait(job)["state"] == "success"
    assert kit.job("echo again")["state"] == "success"
    assert new not in str(done)


def inspect(kit: Kit, host: BlankHost) -> str:
    return re.sub(
        r"\s", "", kit.ssh(host, "docker inspect -f '{{.Id}} {{.RestartCount}}' gitlab-runner")
    )
