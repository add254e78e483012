"""Why a host does not work: nothing on a healthy one, and on a sick one just that."""

from collections.abc import Iterator, Mapping

import pytest

from sandbox.world import BlankHost, World
from tests.hosts.conftest import Blank
from tests.hosts.kit import CONFIG, Kit, Ran
from tests.hosts.refusals import changed
from tests.hosts.sick import FIRST, KEPT, MORE, NOTES, PUT_BACK

TOKEN: dict[str, str] = {}


@pytest.fixture(scope="module")
def runner(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlankHost]:
    """A runner host, as the tests find and leave it."""
    host = world.host("doctor1", "docker")
    kit = Kit(world, tmp_path_factory.mktemp("doctor"))
    kit.mirrored(host)
    kit.settings(host)
    TOKEN["RUNNER_TOKEN"] = kit.new_token("doctor")
    kit.bootstrap()
    yield host
    world.remove("doctor1")
    kit.gitlab.forget_runners("doctor")


@pytest.fixture
def at_work(kit: Kit, runner: BlankHost) -> Kit:
    """Settings that are fulfilled there already."""
    kit.settings(runner)
    kit.env |= TOKEN
    return kit


def codes(ran: Ran) -> list[str]:
    (host,) = ran.hosts.values()
    return [one["code"] for one in host["findings"]]


def words(ran: Ran) -> list[str]:
    hosts = ran.hosts.values()
    return [one["what"] for host in hosts for one in host["findings"]] + [
        str(host["error"]) for host in hosts
    ]


def look(kit: Kit) -> Ran:
    """By the host alone, without jobs' containers."""
    return kit.run("doctor", "--host", "all", "--no-rehearsal", "--json")


def found_as(kit: Kit, host: BlankHost, sick: Mapping[str, tuple[str, str]]) -> None:
    for code, (do, undo) in sick.items():
        with changed(kit, host, do, undo):
            ran = look(kit)
        assert (codes(ran), ran.code) == ([code], int(code not in NOTES)), words(ran)
        assert "sentinel" not in ran.out + ran.err
        assert TOKEN["RUNNER_TOKEN"] not in ran.out


def test_a_healthy_host_has_no_finding_and_a_sick_one_just_that(
    at_work: Kit, runner: BlankHost
) -> None:
    well = at_work.run("doctor", "--host", "all")
    assert well.code == 0, well.out + well.err
    assert ", 0 errors, 0 notes, " in well.out, well.out
    found_as(at_work, runner, FIRST)


@pytest.mark.long
def test_each_of_many_ways_to_be_sick_is_found_as_itself(at_work: Kit, runner: BlankHost) -> None:
    found_as(at_work, runner, MORE)


@pytest.mark.long
def test_a_key_that_the_program_does_not_know(at_work: Kit, runner: BlankHost) -> None:
    with changed(at_work, runner, f"{KEPT}; sed -i '1i novel = 7' {CONFIG}", PUT_BACK):
        ran = look(at_work)
    (found,) = ran.hosts[runner.name]["findings"]
    lints = "docker exec gitlab-runner gitlab-runner --help | grep -cw lint"  # since 19.3
    alone = at_work.ssh(runner, lints, check=False) == "0\n"
    assert found["code"] == ("config-unknown-key" if alone else "config-lint")
    assert "novel" in found["what"]


@pytest.mark.long
def test_a_runner_that_was_deleted_at_gitlab(kit: Kit, runner: BlankHost) -> None:
    kit.settings(runner, gitlab={"api_token": {"env": "GITLAB_TOKEN"}})
    kit.env |= {**TOKEN, "GITLAB_TOKEN": kit.world.api_token}
    assert codes(look(kit)) == []
    kit.env["GITLAB_TOKEN"] = kit.world.expired_token
    assert codes(look(kit)) == ["gitlab-api"]
    kit.env["GITLAB_TOKEN"] = kit.world.create_token
    assert codes(look(kit)) == ["api-token-blind"]
    kit.env["GITLAB_TOKEN"] = kit.world.api_token
    kit.gitlab.forget_runners("doctor")
    assert codes(look(kit)) == ["runner-refused"]


@pytest.mark.long
def test_a_blank_host_before_bootstrap(kit: Kit, blank: Blank) -> None:
    host = blank("plain", "doctor2")
    kit.settings(host, hosts={"gone": {"address": "root@127.0.0.1:1"}})
    kit.env["RUNNER_TOKEN"] = "glrt-" + "t" * 20
    ran = kit.run("doctor", "--host", "all", "--pre", "--json")
    assert ran.code == 1
    assert [one["code"] for one in ran.hosts["gone"]["findings"]] == ["host-unreached"]
    assert ran.hosts[host.name]["findings"] == [], "no Docker is no error"
    titles = [one["title"] for one in ran.hosts[host.name]["changes"]]
    assert any(one.startswith("install Docker") for one in titles)
    images = "mount -t tmpfs -o {0} tmpfs /var/lib/docker"
    for code, options in {"disk-full": "size=99m", "inodes-full": "size=9g,nr_inodes=99"}.items():
        with changed(kit, host, images.format(options), "umount /var/lib/docker"):
            assert codes(kit.run("doctor", "--host", host.name, "--pre", "--json")) == [code]
    sources = "/etc/apt/sources.list.d"
    dead = f"echo 'deb http://{kit.world.net.address(250)}/debian x main' >{sources}/dead.list"
    with changed(kit, host, dead, f"rm {sources}/dead.list"):
        found = codes(kit.run("doctor", "--host", host.name, "--pre", "--json"))
    assert found == ["packages-unreachable"]
    kit.settings(host, user="mallory")
    assert codes(kit.run("doctor", "--host", host.name, "--pre", "--json")) == ["sudo-refused"]
