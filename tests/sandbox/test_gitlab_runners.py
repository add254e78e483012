"""The coordinator's side of runners: register, verify, unregister."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.gitlab_client import REGISTRATION_TOKEN, Sandbox, running


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running() as started:
        yield started


def register(sandbox: Sandbox, **options: Any) -> dict[str, Any]:
    answer = sandbox.call("POST", "runners", {"token": REGISTRATION_TOKEN, **options})
    assert answer.status == 201, answer.content
    return dict(answer.json)


def test_a_registration_token_makes_a_runner_with_its_options(sandbox: Sandbox) -> None:
    registered = register(
        sandbox,
        description="old way",
        tag_list="docker, web",
        run_untagged=False,
        locked=True,
        access_level="ref_protected",
        maximum_timeout=1200,
        paused=True,
        maintenance_note="by hand",
    )
    assert len(registered["token"]) == 20
    assert registered["token_expires_at"] is None
    runner = sandbox.admin().runners.get(registered["id"])
    assert runner.description == "old way"
    assert runner.tag_list == ["docker", "web"]
    assert (runner.run_untagged, runner.locked, runner.paused) == (False, True, True)
    assert (runner.access_level, runner.maximum_timeout) == ("ref_protected", 1200)
    assert runner.maintenance_note == "by hand"


def test_a_wrong_registration_token_is_forbidden(sandbox: Sandbox) -> None:
    answer = sandbox.call("POST", "runners", {"token": "wrong"})
    assert answer.status == 403
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json["message"].startswith("403 Forbidden")


def test_registration_that_was_switched_off_is_gone(sandbox: Sandbox) -> None:
    sandbox.control("POST", "switches", {"registration_tokens": False})
    answer = sandbox.call("POST", "runners", {"token": REGISTRATION_TOKEN})
    assert answer.status == 410
    assert answer.json == {"message": "410 Gone - runner registration disallowed"}


def test_a_runner_that_could_take_no_job_is_refused_and_not_kept(sandbox: Sandbox) -> None:
    answer = sandbox.call("POST", "runners", {"token": REGISTRATION_TOKEN, "run_untagged": False})
    assert answer.status == 400
    assert "tags_list" in answer.json["message"]
    assert sandbox.state()["runners"] == []


def test_each_system_id_is_one_manager_however_often_it_verifies(sandbox: Sandbox) -> None:
    registered = sandbox.created()
    for system_id in ("s_one", "s_two", "s_one"):
        info = {"version": "19.3.0", "platform": "linux"}
        body = {"token": registered["token"], "system_id": system_id, "info": info}
        answer = sandbox.call("POST", "runners/verify", body)
        assert answer.status == 200
        assert answer.json == {
            "id": registered["id"],
            "token": registered["token"],
            "token_expires_at": None,
        }
    managers = sandbox.admin().http_list(f"/runners/{registered['id']}/managers", iterator=False)
    assert sorted(manager["system_id"] for manager in managers) == ["s_one", "s_two"]
    assert {manager["version"] for manager in managers} == {"19.3.0"}


def test_verify_without_a_system_id_leaves_a_bogus_manager(sandbox: Sandbox) -> None:
    registered = sandbox.created()
    sandbox.admin().runners.verify(registered["token"])
    assert [m["system_id"] for m in sandbox.state()["runners"][0]["managers"]] == ["<legacy>"]


def test_an_unknown_runner_token_is_forbidden_everywhere(sandbox: Sandbox) -> None:
    for method, path in (
        ("POST", "runners/verify"),
        ("DELETE", "runners"),
        ("DELETE", "runners/managers"),
        ("POST", "runners/reset_authentication_token"),
        ("POST", "jobs/request"),
    ):
        answer = sandbox.call(method, path, {"token": "glrt-nobody", "system_id": "s_one"})
        assert (path, answer.status) == (path, 403)


def test_unregistering_a_manager_keeps_the_runner(sandbox: Sandbox) -> None:
    token = sandbox.created()["token"]
    sandbox.poll(token)
    body = {"token": token, "system_id": "s_one"}
    assert sandbox.call("DELETE", "runners/managers", body).status == 204
    assert sandbox.state()["runners"][0]["managers"] == []
    assert sandbox.call("DELETE", "runners/managers", body).status == 404
    assert sandbox.call("DELETE", "runners/managers", {"token": token}).status == 400


def test_unregistering_a_runner_removes_it(sandbox: Sandbox) -> None:
    registered = register(sandbox)
    assert sandbox.call("DELETE", "runners", {"token": registered["token"]}).status == 204
    assert sandbox.state()["runners"] == []


def test_a_reset_token_replaces_the_old_one_in_kind(sandbox: Sandbox) -> None:
    for old, prefix in ((sandbox.created()["token"], "glrt-"), (register(sandbox)["token"], "")):
        answer = sandbox.call("POST", "runners/reset_authentication_token", {"token": old})
        assert answer.status == 201
        assert set(answer.json) == {"token", "token_expires_at"}
        new = answer.json["token"]
        assert new.startswith(prefix)
        assert len(new) == len(old)
        assert sandbox.call("POST", "runners/verify", {"token": old}).status == 403
        assert sandbox.call("POST", "runners/verify", {"token": new}).status == 200


def test_a_token_with_a_life_tells_when_it_ends_and_then_is_worth_nothing(sandbox: Sandbox) -> None:
    sandbox.control("POST", "switches", {"runner_token_seconds": 3600})
    registered = sandbox.created()
    assert registered["token_expires_at"] == "2023-11-14T23:13:20.000Z"
    assert sandbox.call("POST", "runners/verify", {"token": registered["token"]}).status == 200
    sandbox.clock.now += 3600
    assert sandbox.call("POST", "runners/verify", {"token": registered["token"]}).status == 403
