"""Settings, host and GitLab: what changed on one side is told, and what others wrote stays."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.world import BlankHost, World
from tests.hosts.kit import CONFIG, Kit

DAEMON = "/etc/docker/daemon.json"
MEMORY = "/var/lib/runnerkit/applied.json"
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


@pytest.mark.long
def test_ghosts_at_gitlab_are_listed_and_nothing_is_deleted(sides: tuple[Kit, BlankHost]) -> None:
    kit, host = sides
    (runner,) = kit.gitlab.runners("sides")
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


def test_what_leaves_the_settings_goes_and_what_others_wrote_stays(
    sides: tuple[Kit, BlankHost],
) -> None:
    kit, host = sides
    runner = {"name": "sides", "hardening": "shared", "settings": {"limit": 3}}
    kit.settings(
        host, gitlab=API, runners={"web": runner}, docker={"daemon": {"labels": ["kit=1"]}},
        manager={"environment": {"KIT": "1"}},
    )  # fmt: skip
    kit.bootstrap()
    assert kit.plan().titles == []
    kit.ssh(host, f"""sed -i 's/^check_interval = .*/check_interval = 7/; s/shm_size = 0/shm_size = 64/' {CONFIG}
        sed -i 's/{{/{{ "max-concurrent-downloads": 4,/' {DAEMON}""")  # fmt: skip
    kit.settings(host, gitlab=API, runners={"web": {"name": "sides"}})
    pending = kit.plan()
    write, *rest = [one for one in pending.titles if "write" in one or "container" in one]
    assert write == f"write {DAEMON} (no longer in the settings: labels)"
    assert (
        rest[0].startswith(f"write {CONFIG} (no longer in the settings: limit, ")
        or "docker." in rest[0]
    )
    assert "environment KIT, which the settings name no longer" in rest[1]
    assert "open the metadata address to containers" in pending.titles
    assert kit.bootstrap().titles == pending.titles
    again = kit.plan()
    assert (again.titles, again.code) == ([], 0)
    config, daemon = kit.ssh(host, f"cat {CONFIG}"), kit.ssh(host, f"cat {DAEMON}")
    for kept in ("check_interval = 7", "shm_size = 64", 'volumes = ["/cache"]'):
        assert kept in config, config
    assert not [word for word in ("cap_drop", "limit = 3", "FF_NETWORK") if word in config]
    assert '"max-concurrent-downloads": 4' in daemon and "labels" not in daemon
    assert kit.job("true", image="tester", tags=["sides"])["state"] == "success"
    secret = kit.ssh(host, f"sed -n 's/^  token = \"\\(.*\\)\"/\\1/p' {CONFIG}").split()[0]
    known = kit.ssh(host, f"stat -c %a {MEMORY}; cat {MEMORY}")
    assert (known.split()[0], secret in known) == ("600", False)


def test_a_renewed_token_is_no_token_to_change_over(sides: tuple[Kit, BlankHost]) -> None:
    kit, host = sides
    kit.settings(host, gitlab=API, runners={"web": {"name": "sides"}})
    kit.ssh(host, "docker exec gitlab-runner gitlab-runner reset-token --name sides")
    seen = kit.plan()
    assert (seen.titles, seen.code) == ([], 0)
    (note,) = seen.found("runner-token-renewed")
    assert "RUNNER_TOKEN" in note["what"]
    assert kit.bootstrap().titles == []


@pytest.mark.long
def test_another_runner_s_token_is_changed_over_to(sides: tuple[Kit, BlankHost]) -> None:
    kit, host = sides
    kit.settings(host, gitlab=API, runners={"web": {"name": "sides"}})
    kit.ssh(host, f"sed -i 's/^  executor/  limit = 7\\n  executor/' {CONFIG}")
    before = kit.gitlab.runners("sides")[-1]["id"]
    kit.new_token("after", tag_list="sides")
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
    (former,) = [one for one in kit.gitlab.runners() if one["id"] == before]
    (ours,) = (one["system_id"] for one in runner["managers"])
    left = {one["system_id"] for one in former["managers"]}
    assert ours not in left, "it is no manager of the runner that it was"
    kit.settled()
    assert kit.job("true", image="tester", tags=["sides"])["state"] == "success"


def two_runners(kit: Kit, host: BlankHost) -> None:
    """Settings with a second runner, which the API makes."""
    api: dict[str, Any] = {"image": "debian:bookworm", "name": "second", "tags": ["second"]}
    if kit.world.own_helper:
        api["docker"] = kit.world.own_helper
    kit.settings(host, gitlab=API, runners={"web": {"name": "sides"}, "second": api})


@pytest.mark.long
def test_a_runner_that_leaves_goes_after_its_jobs_and_a_stranger_s_stays(
    sides: tuple[Kit, BlankHost],
) -> None:
    kit, host = sides
    kit.ssh(host, f"""cat >>{CONFIG} <<'END'
[[runners]]
  name = "stranger"
  url = "http://127.0.0.1:9"
  token = "stranger0000000000"
  executor = "shell"
END""")  # fmt: skip
    two_runners(kit, host)
    kit.bootstrap()
    (second,) = kit.gitlab.runners("second")
    number = kit.gitlab.queue(["sleep 8"], image="debian:bookworm", tags=["second"])
    while kit.gitlab.job(number)["state"] != "running":
        time.sleep(0.1)
    kit.settings(host, gitlab=API, runners={"web": {"name": "sides"}})
    pending = kit.plan()
    assert pending.titles == [f"write {CONFIG} (no longer in the settings: runner second)"]
    assert "stranger" in pending.found("runner-left")[0]["what"]
    assert kit.bootstrap().titles == pending.titles
    assert kit.gitlab.wait(number)["state"] == "success", "its job is not lost"
    names = kit.ssh(host, f"sed -n 's/^  name = //p' {CONFIG}").split()
    assert names == ['"sides"', '"stranger"']
    (left,) = kit.gitlab.runners("second")
    assert (left["id"], left["managers"]) == (second["id"], [])
    assert kit.plan().titles == []


@pytest.mark.long
def test_a_host_from_before_there_was_a_memory_loses_nothing(sides: tuple[Kit, BlankHost]) -> None:
    kit, host = sides
    kit.settings(host, gitlab=API, runners={"web": {"name": "sides"}})
    kit.ssh(
        host, f"rm {MEMORY}; sed -i 's/^  executor/  output_limit = 9000\\n  executor/' {CONFIG}"
    )
    for count in (3, 1):  # a look, the lock, the memory; then a look
        assert kit.plan().titles == []
        ran = kit.bootstrap()
        assert (ran.titles, ran.hosts[host.name]["execs"]) == ([], count)
    assert "output_limit = 9000" in kit.ssh(host, f"cat {CONFIG}")
    kit.ssh(host, f"echo '{{' >{MEMORY}")
    assert kit.plan().found("memory-damaged")
