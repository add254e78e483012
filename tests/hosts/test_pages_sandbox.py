"""A sandbox of one's own, as the pages have it; two checkouts do not touch each other."""

import re
from pathlib import Path

import pytest

from runnerkit import place
from sandbox.errors import SandboxError
from sandbox.names import Names
from sandbox.world import World, down, up
from tests.hosts.kit import Kit
from tests.pages import commands

HERE = "tests/hosts/test_pages_sandbox.py"


def test_blank_hosts_of_ones_own(kit: Kit, world: World) -> None:
    lines = commands(f"{HERE}::test_blank_hosts_of_ones_own")
    assert lines[0] == "./inv sandbox.up"
    file = str(world.state / "hosts.toml")
    output = ""
    try:
        for line in lines:
            kit.env["RUNNERKIT_SETTINGS"] = file if line.startswith("RUNNERKIT_SETTINGS") else ""
            words = line.partition("./inv ")[2].split()
            ran = kit.run(*words)
            assert ran.code == 0, ran.err
            output += ran.out
        assert world.gitlab_url in output
        assert str(world.state / "tokens.json") in output
        addresses = re.findall(r"nothing else: root@(\S+)", output)
        assert len(addresses) == 2
        assert f"RUNNERKIT_SETTINGS={file} " in output
        names = [runner["description"] for runner in kit.gitlab.runners()]
        assert {"ci1-try", "ci2-try"} <= {*names}
        assert world.api_token not in Path(file).read_text()
    finally:
        world.remove("ci1")
        world.remove("ci2")
        Path(file).unlink(missing_ok=True)


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
