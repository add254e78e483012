"""The three ways to register a runner: each ends with one runner, as the settings say."""

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.world import BlankHost, World
from tests.hosts.kit import CONFIG, Kit

SAID = {"tags": ["one", "two"], "run_untagged": False, "locked": True, "maximum_timeout": 900}
API = {"api_token": {"env": "GITLAB_TOKEN"}}
OLD = {"registration_token": {"env": "REGISTRATION_TOKEN"}}


@pytest.fixture(scope="module")
def pair(
    world: World, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[BlankHost, BlankHost]]:
    """Two hosts with Docker, the images and the manager, set up at once with one glrt- token."""
    hosts, kit = ("joins1", "joins2"), Kit(world, tmp_path_factory.mktemp("joins"))
    first, second = (world.host(name, "docker") for name in hosts)
    kit.settings(first, second, runners={"web": {"name": "shared"}})
    kit.new_token("shared")
    kit.bootstrap()
    yield first, second
    kit.gitlab.forget_runners("shared")
    for name in hosts:
        world.remove(name)


@pytest.fixture
def host(kit: Kit, pair: tuple[BlankHost, BlankHost]) -> Iterator[BlankHost]:
    """One of them, registered with nobody; what a test switches at GitLab is switched back."""
    forget(kit, pair[0])
    yield pair[0]
    switch(kit, registration_tokens=True)


def forget(kit: Kit, host: BlankHost) -> None:
    kit.ssh(host, f"sed -i '/^\\[\\[runners/,$d' {CONFIG}")


def switch(kit: Kit, **switches: Any) -> None:
    kit.gitlab.call("POST", "/sandbox/switches", **switches)


def join(kit: Kit, host: BlankHost, name: str, way: str, **options: Any) -> None:
    """Settings and environment for one way to register: glrt, api, registration, glrt+api."""
    old = OLD if way == "registration" else {}
    by_api = API if way.endswith("api") else {}
    kit.settings(host, gitlab=by_api, runners={"web": {"name": name, **old, **options}})
    if way.startswith("glrt") and "RUNNER_TOKEN" not in kit.env:
        kit.new_token(name)
    kit.env["GITLAB_TOKEN"] = kit.world.api_token if by_api else ""
    kit.env["REGISTRATION_TOKEN"] = kit.world.registration_token if old else ""


def only(kit: Kit, name: str) -> dict[str, Any]:
    """The runner of that name as GitLab has it; there must be exactly one."""
    (runner,) = kit.gitlab.runners(name)
    return runner


def entries(kit: Kit, host: BlankHost) -> int:
    return int(kit.ssh(host, f"grep -c '^\\[\\[runners' {CONFIG}"))


def test_one_token_on_two_hosts_is_one_runner(kit: Kit, pair: tuple[BlankHost, BlankHost]) -> None:
    assert len(only(kit, "shared")["managers"]) == len(pair)


@pytest.mark.parametrize("way", ["api", "registration", "glrt+api"])
def test_settings_end_up_at_gitlab(kit: Kit, host: BlankHost, way: str) -> None:
    join(kit, host, way, way, **SAID)
    kit.bootstrap()
    runner = only(kit, way)
    assert len(runner["managers"]) == 1
    assert sorted(runner["tag_list"]) == SAID["tags"]
    assert {key: runner[key] for key in SAID if key != "tags"} | {"tags": SAID["tags"]} == SAID
    assert entries(kit, host) == 1
    again = kit.plan()
    assert (again.titles, again.code) == ([], 0)


def test_without_the_api_a_note_says_what_is_not_looked_after(kit: Kit, host: BlankHost) -> None:
    join(kit, host, "noted", "glrt", **SAID)
    for ran in (kit.plan(), kit.bootstrap()):
        (note,) = ran.found("runner-unset")
        keys = "locked, maximum_timeout, run_untagged, tag_list of runner web"
        assert note["what"].startswith(keys)
        assert "give GITLAB_TOKEN" in note["fix"]
    assert only(kit, "noted")["tag_list"] == []

    join(kit, host, "noted", "registration", **SAID)
    forget(kit, host)
    kit.env["RUNNER_TOKEN"] = ""
    kit.gitlab.forget_runners("noted")
    kit.bootstrap()
    join(kit, host, "noted", "registration", tags=["other"])
    (note,) = kit.plan().found("runner-set-once")
    assert note["what"].startswith("tag_list of runner web")
    assert "give GITLAB_TOKEN" in note["fix"]


def test_a_change_of_the_settings_is_the_only_change(kit: Kit, host: BlankHost) -> None:
    join(kit, host, "later", "glrt+api", tags=["one"])
    kit.bootstrap()
    number = only(kit, "later")["id"]
    steps: list[tuple[dict[str, Any], str]] = [
        ({"tags": ["two", "one"]}, "tag_list"),
        ({"tags": ["one", "two"], "paused": True, "access_level": "ref_protected"}, "paused, access_level"),
    ]  # fmt: skip
    for output, words in steps:
        join(kit, host, "later", "glrt+api", **output)
        pending = kit.plan()
        assert (pending.titles, pending.code) == ([f"set {words} of runner #{number} at GitLab"], 2)
        diff = pending.hosts[host.name]["changes"][0]["diff"]
        assert all(f"+{word} = " in diff for word in words.split(", "))
        assert kit.bootstrap().titles == pending.titles
        assert kit.plan().titles == []
        runner = only(kit, "later")
        assert sorted(runner["tag_list"]) == sorted(output["tags"])
        assert runner["paused"] == output.get("paused", False)
    assert only(kit, "later")["access_level"] == "ref_protected"


def test_a_token_that_may_only_create_is_enough(kit: Kit, host: BlankHost) -> None:
    join(kit, host, "create", "api", tags=["one"])
    kit.env["GITLAB_TOKEN"] = kit.world.create_token
    assert kit.bootstrap().titles == [
        "create runner create at GitLab (instance_type)",
        "register runner create",
    ]
    assert only(kit, "create")["tag_list"] == ["one"]
    again = kit.bootstrap()
    assert again.titles == []
    (note,) = again.found("runner-unseen")
    assert "manage_runner" in note["fix"]  # without it nobody would be told that tags go unchecked


def test_a_runner_that_a_cut_off_run_created_is_taken_over(kit: Kit, host: BlankHost) -> None:
    known = hashlib.sha256(kit.ssh(host, "cat /etc/machine-id").strip().encode()).hexdigest()
    files = (kit.world.state / "known_hosts").read_text().splitlines()
    (key,) = (line.split()[2] for line in files if line.split()[0] == host.address)
    proven = hashlib.sha256(base64.b64decode(key)).hexdigest()[:32]
    mark = f"runnerkit host={host.name} machine={known[:8]} key={proven} runner=web"
    left = {"runner_type": "project_type", "project_id": 1, "maintenance_note": mark}
    kit.gitlab.call("POST", "/api/v4/user/runners", description="left", **left)
    join(kit, host, "left", "api", project=1)
    number = only(kit, "left")["id"]
    assert kit.bootstrap().titles == [
        f"take over runner left (#{number}) at GitLab with a new token",
        "register runner left",
    ]
    assert only(kit, "left")["id"] == number
    assert len(only(kit, "left")["managers"]) == 1
    assert kit.plan().titles == []


def test_a_runner_of_that_name_without_the_mark_is_left_alone(kit: Kit, host: BlankHost) -> None:
    kit.gitlab.new_runner("twin", maintenance_note="somebody else's")
    join(kit, host, "twin", "api")
    kit.bootstrap()
    assert sorted(len(one["managers"]) for one in kit.gitlab.runners("twin")) == [0, 1]


@pytest.mark.long
def test_a_lost_answer_leaves_no_second_runner(kit: Kit, host: BlankHost) -> None:
    join(kit, host, "lost", "api", **SAID)
    lost = {"endpoint": "POST /user/runners", "status": 0, "after": True}
    switch(kit, fail_next=lost)
    failed = kit.bootstrap(code=1).hosts[host.name]
    assert "cannot be reached from here" in failed["error"]
    assert only(kit, "lost")["managers"] == []
    healed = kit.bootstrap().titles
    assert healed[0].startswith("take over runner lost")
    assert len(only(kit, "lost")["managers"]) == 1
    assert kit.plan().titles == []


def test_registration_tokens_switched_off(kit: Kit, host: BlankHost) -> None:
    join(kit, host, "off", "registration")
    switch(kit, registration_tokens=False)
    failed = kit.bootstrap(code=1).hosts[host.name]
    assert "register runner off" in failed["error"]
    assert "registration tokens switched off" in failed["fix"]
    assert kit.gitlab.runners("off") == []
    join(kit, host, "off", "api")
    kit.bootstrap()
    assert len(only(kit, "off")["managers"]) == 1


def test_a_runner_deleted_at_gitlab_is_told_with_the_fix(kit: Kit, host: BlankHost) -> None:
    join(kit, host, "gone", "glrt")
    kit.bootstrap()
    kit.gitlab.forget_runners("gone")
    failed = kit.bootstrap(code=1).hosts[host.name]
    assert failed["error"].startswith("GitLab no longer accepts runner gone")
    assert failed["fix"].startswith("make a new one at GitLab and put it into RUNNER_TOKEN")
    kit.new_token("gone")
    assert kit.bootstrap().titles == ["change runner gone over to the token of the settings"]
    kit.gitlab.forget_runners("gone")
    forget(kit, host)
    assert "refuses the runner's token" in kit.bootstrap(code=1).hosts[host.name]["error"]
    kit.new_token("gone")
    kit.bootstrap()
    assert len(only(kit, "gone")["managers"]) == 1
