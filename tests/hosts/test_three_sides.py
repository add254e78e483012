"""Settings, host and GitLab: what changed on one side is told, and what others wrote stays."""

import json
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
    changed = kit.bootstrap().titles
    (runner,) = kit.gitlab.runners("sides")[-1:]
    named = f"set description of runner #{runner['id']} at GitLab"
    assert changed == [*pending.titles, named], (
        "what GitLab has of it is seen by its own token alone"
    )
    again = kit.plan()
    assert (again.titles, again.found("runner-other-token"), again.code) == ([], [], 0)
    entry = kit.ssh(host, f"cat {CONFIG}")
    assert entry.count("[[runners]]") == entry.count("limit = 7") == entry.count("name = ") == 1
    assert (f"id = {runner['id']}\n" in entry, len(runner["managers"])) == (True, 1)
    kit.settled()
    assert kit.job("true", image="tester", tags=["after"])["state"] == "success"


def test_ghosts_at_gitlab_are_listed_and_nothing_is_deleted(sides: tuple[Kit, BlankHost]) -> None:
    kit, host = sides
    runner = max(
        (one for one in kit.gitlab.runners() if one["managers"]), key=lambda one: int(one["id"])
    )
    token = kit.ssh(host, f"sed -n 's/^  token = \"\\(.*\\)\"/\\1/p' {CONFIG}").strip()
    kit.gitlab.call("POST", "/api/v4/runners/verify", token=token, system_id="r_gone00000000")
    mark = {"maintenance_note": "runnerkit host=old1 machine=00000000 runner=web"}
    kit.gitlab.new_runner("left behind", **mark)
    kit.gitlab.new_runner("somebody's", maintenance_note="by hand")
    before = kit.gitlab.runners()
    for words in (("plan",), ("status",)):
        ran = kit.run(*words, "--host", "all", "--json")
        found = {one["code"]: one for one in json.loads(ran.out)["findings"]}
        assert sorted(found) == ["manager-ghost", "runner-ghost"], words
        assert (
            f"r_gone00000000 of runner {runner['description']} " in found["manager-ghost"]["what"]
        )
        assert "left behind" in found["runner-ghost"]["what"]
        assert ran.code == 0
    people = kit.run("plan", "--host", "all")
    assert people.err.count("note: GitLab: ") == 2
    assert [one["id"] for one in kit.gitlab.runners()] == [one["id"] for one in before]

    kit.settings(host, gitlab=API, hosts={"another": {"address": "root@127.0.0.1:1"}})
    assert json.loads(kit.plan(host.name).out)["findings"] == [], "it may be on the other host"
