"""A plan knows what bootstrap would come upon, and changes nothing to know it."""

from collections.abc import Iterator

import pytest
import tomlkit

from sandbox.world import BlankHost, World
from tests.hosts.kit import CONFIG, Kit


def write(kit: Kit) -> None:
    kit.data["manager"].pop("concurrent", None)
    (kit.folder / "runnerkit.toml").write_text(tomlkit.dumps(kit.data))


@pytest.fixture(scope="module")
def known(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlankHost]:
    """A host that is set up, with as many jobs at once as it has processors."""
    host, kit = world.host("known", "docker"), Kit(world, tmp_path_factory.mktemp("known"))
    kit.settings(host, runners={"web": {"name": "known"}})
    write(kit)
    kit.new_token("known")
    ran = kit.bootstrap()
    processors = int(kit.ssh(host, "nproc"))
    assert ran.hosts["known"]["concurrent"] == processors
    assert f"concurrent = {processors}\n" in kit.ssh(host, f"cat {CONFIG}")
    yield host
    kit.gitlab.forget_runners("known")
    world.remove("known")


@pytest.fixture
def ready(kit: Kit, known: BlankHost) -> Kit:
    kit.settings(known, runners={"web": {"name": "known"}})
    write(kit)
    return kit


def test_nothing_to_do_takes_one_exec(ready: Kit) -> None:
    ran = ready.run("plan", "--host", "all", "--json")
    (host,) = ran.hosts.values()
    assert (ran.code, host["execs"], host["findings"]) == (0, 1, []), ran.out


def test_a_stopped_docker_is_one_change_and_one_note(ready: Kit, known: BlankHost) -> None:
    ready.ssh(known, "systemctl stop docker.socket docker")
    ran = ready.run("plan", "--host", "all", "--json")
    assert (ran.code, ran.titles) == (2, ["start docker"])
    assert len(ran.found("docker-stopped")) == 1
    assert ready.bootstrap().titles == ["start docker"]


def test_a_renamed_runner_and_one_without_settings_are_told(ready: Kit, known: BlankHost) -> None:
    ready.data["runners"] = {"web": {**ready.data["runners"]["web"], "name": "renamed"}}
    write(ready)
    ready.new_token("renamed")
    ran = ready.run("plan", "--host", "all", "--json")
    assert ran.code == 2, ran.out + ran.err
    (left,) = ran.found("runner-left")
    assert "known (http" in left["what"]

    ready.data["runners"] = {}
    write(ready)
    ran = ready.run("plan", "--host", "all", "--json")
    assert (ran.code, ran.hosts["known"]["error"]) == (1, "no runner is named")
    assert "known (http" in ran.found("runner-left")[0]["what"]
    ready.gitlab.forget_runners("renamed")


def test_what_would_fail_is_told_all_at_once_and_nothing_is_changed(
    ready: Kit, known: BlankHost
) -> None:
    before = ready.ssh(known, f"md5sum {CONFIG} /etc/docker/daemon.json; ls -A /etc/docker /run")
    ready.data["docker"]["registry_mirrors"] = ["http://127.0.0.1:9"]
    ready.data["docker"]["daemon"] = {"no-such-key": 1}
    ready.data["manager"]["settings"] = {"zzz": 1}
    ready.data["runners"]["more"] = {"image": "tester", "token": {"env": "WRONG"}}
    ready.data["runners"]["more"] |= {"name": "more"}
    write(ready)
    ready.env["WRONG"] = "abc"
    ran = ready.run("plan", "--host", "all", "--json")
    assert ran.code == 1
    output = "\n".join(one["what"] for one in ran.found("change-obstacle"))
    assert "registry mirror http://127.0.0.1:9 does not answer the host" in output
    assert "refuses the runner's token (WRONG, runner more)" in output
    lint = "docker exec gitlab-runner gitlab-runner --help | grep -cw lint"  # since 19.3
    has_lint = ready.ssh(known, lint, check=False) != "0\n"
    assert (f"write {CONFIG} would fail" in output) is has_lint
    after = ready.ssh(known, f"md5sum {CONFIG} /etc/docker/daemon.json; ls -A /etc/docker /run")
    assert before == after


def test_a_runner_that_gitlab_no_longer_knows_is_told(ready: Kit) -> None:
    ready.gitlab.forget_runners("known")
    ran = ready.run("plan", "--host", "all", "--json")
    assert ran.code == 1
    assert "GitLab no longer accepts runner known" in ran.found("runner-refused")[0]["what"]
