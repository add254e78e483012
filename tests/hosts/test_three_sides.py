"""Settings, host and GitLab: what changed on one side is told, and what others wrote stays."""

from collections.abc import Iterator

import pytest

from sandbox.world import BlankHost, World
from tests.hosts.kit import CONFIG, Kit

API = {"api_token": {"env": "GITLAB_TOKEN"}}


@pytest.fixture(scope="module")
def sides(
    world: World, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Kit, BlankHost]]:
    """A host that is set up once, by settings that the tests change in turn."""
    kit = Kit(world, tmp_path_factory.mktemp("sides"))
    host = world.host("sides", "docker")
    kit.mirrored(host)
    kit.settings(host, gitlab=API, runners={"web": {"name": "sides"}})
    kit.env["GITLAB_TOKEN"] = world.api_token
    kit.new_token("sides", tag_list="sides")
    kit.bootstrap()
    yield kit, host
    world.remove("sides")
    for runner in kit.gitlab.runners():
        kit.gitlab.call("DELETE", f"/api/v4/runners/{runner['id']}")


def test_a_renewed_token_is_no_token_to_change_over(sides: tuple[Kit, BlankHost]) -> None:
    kit, host = sides
    kit.ssh(host, "docker exec gitlab-runner gitlab-runner reset-token --name sides")
    seen = kit.plan()
    assert (seen.titles, seen.code) == ([], 0)
    (note,) = seen.found("runner-token-renewed")
    assert "RUNNER_TOKEN" in note["what"]
    assert kit.bootstrap().titles == []


def test_another_runner_s_token_is_changed_over_to(sides: tuple[Kit, BlankHost]) -> None:
    kit, host = sides
    kit.ssh(host, f"sed -i 's/^  executor/  limit = 7\\n  executor/' {CONFIG}")
    kit.new_token("after", tag_list="after")
    pending = kit.plan()
    assert pending.titles == ["change runner sides over to the token of the settings"]
    assert kit.bootstrap().titles == pending.titles
    again = kit.plan()
    assert (again.titles, again.found("runner-other-token"), again.code) == ([], [], 0)
    entry = kit.ssh(host, f"cat {CONFIG}")
    assert entry.count("[[runners]]") == entry.count("limit = 7") == entry.count("name = ") == 1
    (runner,) = kit.gitlab.runners("after")
    assert (f"id = {runner['id']}\n" in entry, len(runner["managers"])) == (True, 1)
    kit.settled()
    assert kit.job("true", image="tester", tags=["after"])["state"] == "success"
