"""Mirrors that lie, before a real registry: each is called what it is, and none is written down."""

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
    """Settings that name no mirror, and these to try."""
    kit.settings(host, docker={"registry_mirrors": [], "mirror_candidates": urls, **more})


def test_each_mirror_is_called_what_it_is(kit: Kit, blank: Blank) -> None:
    """From a blank host, which has no Docker: side by side and within 10 s."""
    host, world = blank(), kit.world
    with mirrors(world.net.address(1), world.mirror_url, *LIES) as urls:
        candidates(kit, host, [*urls.values(), world.mirror_url])
        ran = kit.run("mirror.probe", "--host", host.name, "--write", "--json")
    assert ran.code == 0, ran.out + ran.err
    found = words(ran, host)
    assert {lie: found[url] for lie, url in urls.items()} == LIES
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
