"""A sandbox of one's own, as the pages have it; two checkouts do not touch each other."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from runnerkit import place
from sandbox.errors import SandboxError
from sandbox.names import Names
from sandbox.world import World, down, up
from tests.hosts.kit import Kit, Ran
from tests.pages import blocks, commands

HERE = "tests/hosts/test_pages_sandbox.py"
RESTARTS = "inspect -f '{{.RestartCount}}'"
MORNING = place.ROOT / "docs/en/day-two.md"


@dataclass
class Own:
    """The sandbox's hosts ci1 and ci2, set up as the tutorial says, and what that printed."""

    kit: Kit
    file: Path
    output: str = ""


@pytest.fixture(scope="module")
def own_hosts(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Own]:
    lines = commands(f"{HERE}::test_blank_hosts_of_ones_own")
    assert lines[0] == "./inv sandbox.up"
    own = Own(Kit(world, tmp_path_factory.mktemp("own")), world.state / "hosts.toml")
    try:
        for line in lines:
            settings = str(own.file) if line.startswith("RUNNERKIT_SETTINGS") else ""
            own.kit.env["RUNNERKIT_SETTINGS"] = settings
            ran = own.kit.run(*line.partition("./inv ")[2].split())
            assert ran.code == 0, ran.err
            own.output += ran.out
        yield own
    finally:
        world.remove("ci1")
        world.remove("ci2")
        own.file.unlink(missing_ok=True)
        own.kit.gitlab.forget_runners("ci1-try")
        own.kit.gitlab.forget_runners("ci2-try")


def test_blank_hosts_of_ones_own(own_hosts: Own, world: World) -> None:
    output = own_hosts.output
    assert world.gitlab_url in output
    assert str(world.state / "tokens.json") in output
    addresses = re.findall(r"nothing else: root@(\S+)", output)
    assert len(addresses) == 2
    assert f"RUNNERKIT_SETTINGS={own_hosts.file} " in output
    names = [runner["description"] for runner in own_hosts.kit.gitlab.runners()]
    assert {"ci1-try", "ci2-try"} <= {*names}
    assert world.api_token not in own_hosts.file.read_text()


def test_a_bad_morning(own_hosts: Own, world: World) -> None:
    """Each command of the page, in its order, on hosts as the page leaves them."""
    kit, ran = own_hosts.kit, dict[str, list[Ran]]()
    kit.env["RUNNERKIT_SETTINGS"] = str(own_hosts.file)
    mine = [one for one in blocks(MORNING) if one.test == f"{HERE}::test_a_bad_morning"]
    for line in (line for block in mine for line in block.commands):
        if line.startswith(("docker ", "sed ")):
            ours = line.replace(".sandbox/hosts.toml", str(own_hosts.file))
            ours = re.sub(r"\$\(docker ps -qf name=(\S+?)\)", world.names.container(r"\1"), ours)
            if "docker restart" in ours:
                ours += (
                    f"\nuntil [ $({ours.replace('restart', RESTARTS)}) -gt 1 ]; do sleep 0.1; done"
                )
            subprocess.run(["bash", "-ec", ours], check=True, capture_output=True, timeout=60)
        elif not line.startswith("export "):
            _, verb, *words = shlex.split(line)
            ran.setdefault(verb, []).append(kit.run(verb, *words))
    codes = [(verb, each.code) for verb, runs in ran.items() for each in runs]
    assert codes == [
        *(("status", code) for code in (1, 0)),
        *(("doctor", code) for code in (1, 0)),
        ("runner.logs", 0),
        ("plan", 2),
        ("bootstrap", 0),
    ]
    ill, well = (each.out for each in ran["status"])
    assert "the manager does not run" in ill
    assert "restarting" in ill
    assert "[concurrent-none]" in ran["doctor"][0].out
    assert "Concurrent is less than 1" in ran["runner.logs"][0].out
    assert "error:" not in well


@pytest.mark.parametrize("name", ["all", "Ci1", "a b", "-x"])
def test_a_name_that_no_host_can_have_is_refused(kit: Kit, name: str) -> None:
    ran = kit.run("sandbox.host", "--name", name)
    assert ran.code == 1
    assert "no name for a host" in ran.err or "has no option" in ran.err


def test_a_second_checkout_leaves_the_first_alone(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Names.current()
    monkeypatch.setenv("RUNNERKIT_SANDBOX", own.sandbox)
    (tmp_path / "other").mkdir()
    monkeypatch.setattr(place, "state", lambda: tmp_path / "other")
    for touch in (up, down):
        with pytest.raises(SandboxError, match="is that of another checkout") as caught:
            touch(lambda _: None)
        assert "RUNNERKIT_SANDBOX=NAME" in caught.value.fix
    monkeypatch.delenv("RUNNERKIT_SANDBOX")
    assert Names.current().sandbox != own.sandbox
    assert Names.current().state == tmp_path / "other/.sandbox"
