"""Mirrors that lie, before a real registry: each is called what it is, and none is written down."""

import json
import shlex
import tomllib
from typing import Any

import pytest

from runnerkit.place import ROOT
from sandbox.world import BlankHost
from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit, Ran
from tests.hosts.lying import LIES, mirrors
from tests.pages import blocks

PAGE = ROOT / "docs" / "en" / "mirrors.md"


def words(ran: Ran, host: BlankHost) -> dict[str, str]:
    """The word of each mirror."""
    return {one["mirror"]: one["word"] for one in ran.hosts[host.name]["mirrors"]}


def candidates(kit: Kit, host: BlankHost, urls: list[str], **more: Any) -> None:
    """Settings that name no mirror, and these to try, for four images."""
    docker = {"registry_mirrors": [], "mirror_candidates": urls, **more}
    kit.settings(host, docker=docker, runners={"other": {"image": "registry:2"}})


def test_each_mirror_is_called_what_it_is(kit: Kit, blank: Blank) -> None:
    """From a blank host, which has no Docker: side by side and within 10 s."""
    host, world = blank(), kit.world
    with mirrors(world.net.address(1), world.mirror_url, *LIES) as urls:
        candidates(kit, host, [*urls.values(), world.mirror_url])
        ran = kit.run("mirror.probe", "--host", host.name, "--write", "--json")
    assert ran.code == 0, ran.out + ran.err
    found = words(ran, host)
    assert {lie: found[url] for lie, url in urls.items()} == LIES
    assert all(len(one["images"]) == 4 for one in ran.hosts[host.name]["mirrors"])
    assert ran.hosts[host.name]["seconds"] < 10
    written = tomllib.loads((kit.folder / "runnerkit.toml").read_text())["docker"]
    assert {*written["registry_mirrors"]} == {urls["honest"], world.mirror_url}


@pytest.mark.long
def test_the_commands_of_the_page(kit: Kit, blank: Blank) -> None:
    host, world = blank(name="ci1"), kit.world
    commands = [line for block in blocks(PAGE) for line in block.commands if "mirror.probe" in line]
    with mirrors(world.net.address(1), world.mirror_url, "honest", "allowlist") as urls:
        candidates(kit, host, [])
        asked, typed, written = (
            line.replace("https://mirror.example.com", urls["honest"]).replace(
                "https://other.example.com", urls["allowlist"]
            )
            for line in commands
        )
        ran = kit.run(*shlex.split(asked)[1:])
        assert (ran.code, "neither a mirror nor Docker Hub serves" in ran.err) == (1, True)
        ran = kit.run(*shlex.split(typed)[1:])
        assert ran.code == 0 and "is not in the allowlist" in ran.out, ran.out + ran.err
        assert f'--write would write [docker] registry_mirrors = ["{urls["honest"]}"]' in ran.out
        candidates(kit, host, [*urls.values()])
        ran = kit.run(*shlex.split(written)[1:])
        assert f'now has [docker] registry_mirrors = ["{urls["honest"]}"]' in ran.out, ran.out
        assert "the settings name the mirrors" in kit.run(*shlex.split(written)[1:]).out


@pytest.mark.long
def test_no_mirror_is_written_where_none_serves_all(kit: Kit, blank: Blank) -> None:
    host, world = blank(), kit.world
    bad = [lie for lie, word in LIES.items() if word not in ("good", "slow") and lie != "hangs"]
    with mirrors(world.net.address(1), world.mirror_url, *bad) as urls:
        candidates(kit, host, [*urls.values()])
        before = (kit.folder / "runnerkit.toml").read_text()
        ran = kit.run("mirror.probe", "--host", host.name, "--write")
    assert (ran.code, "nothing was written" in ran.out) == (1, True), ran.out + ran.err
    assert (kit.folder / "runnerkit.toml").read_text() == before


@pytest.mark.long
def test_auto_chooses_those_that_serve_and_asks_no_more(kit: Kit, blank: Blank) -> None:
    host, world = blank(), kit.world
    kit.new_token()
    with mirrors(world.net.address(1), world.mirror_url, "honest", "allowlist", "stale") as urls:
        more = {"registry_mirrors": "auto", "mirror_candidates": [*urls.values(), world.mirror_url]}
        kit.settings(host, docker=more)
        planned = kit.plan()
        assert planned.code == 2, planned.out + planned.err
        (note,) = planned.found("mirrors-chosen")
        assert urls["honest"] in note["what"] and f"{urls['allowlist']} (allowlist)" in note["what"]
        kit.bootstrap()
        assert {*in_use(kit, host)} == {urls["honest"], world.mirror_url}
    again = kit.bootstrap()  # the mirrors are gone, and nobody asks: all images are there
    assert again.hosts[host.name]["state"] == "ok"
    assert not again.found("mirrors-chosen") and again.hosts[host.name]["execs"] == 1
    kit.ssh(host, "docker rmi -f $(docker image ls -q debian:bookworm) tester >/dev/null; true")
    kit.bootstrap()
    assert in_use(kit, host) == [world.mirror_url], "the one that is gone is left out"


@pytest.mark.long
def test_doctor_says_of_a_blank_host_what_bootstrap_would_find(kit: Kit, blank: Blank) -> None:
    host, world = blank(), kit.world
    with mirrors(world.net.address(1), world.mirror_url, "honest", "allowlist") as urls:
        auto = {"registry_mirrors": "auto", "mirror_candidates": [*urls.values()]}
        packages = {"source": "docker-ce", "package_mirror": "auto"}
        kit.settings(host, docker={**auto, **packages})
        ran = kit.run("doctor", "--pre", "--host", host.name, "--json")
        kit.settings(host, docker={**auto, "mirror_candidates": [urls["allowlist"]]})
        nothing = kit.run("doctor", "--pre", "--host", host.name, "--json")
    (note,) = ran.found("mirrors-chosen")
    assert urls["honest"] in note["what"] and f"{urls['allowlist']} (allowlist)" in note["what"]
    (none,) = ran.found("packages-nowhere")
    assert "https://download.docker.com (" in none["what"]
    assert nothing.code == 1 and "debian:bookworm" in nothing.found("mirrors-unserved")[0]["what"]


def in_use(kit: Kit, host: BlankHost) -> list[str]:
    """The mirrors of a host's Docker."""
    info = kit.ssh(host, "docker info --format '{{json .RegistryConfig.Mirrors}}'")
    return [str(one).rstrip("/") for one in json.loads(info)]


@pytest.mark.long
def test_a_pull_that_fails_says_which_mirror_answered_what(kit: Kit, blank: Blank) -> None:
    host, world = blank("docker"), kit.world
    kit.new_token()
    with mirrors(world.net.address(1), world.mirror_url, "allowlist", "quota", "token") as urls:
        kit.settings(host, docker={"registry_mirrors": [*urls.values()]})
        ran = kit.bootstrap(code=1)
    error = ran.hosts[host.name]["error"]
    for lie, url in urls.items():
        assert (
            f"{url} for {world.runner_image}: {lie.replace('token', 'no token service')} (" in error
        )
    assert "docker.io for" in error and "mirror.probe" in ran.hosts[host.name]["fix"]
