"""The administrators' API, through python-gitlab as the kit uses it."""

from collections.abc import Iterator
from typing import Any

import gitlab
import pytest

from tests.sandbox.gitlab_client import (
    API_TOKEN,
    CREATE_TOKEN,
    EXPIRED_TOKEN,
    MANAGE_TOKEN,
    Sandbox,
    running,
)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running() as started:
        yield started


def refused(status: int) -> "pytest.RaisesExc[gitlab.GitlabError]":
    """Expect an error of the client library with this status."""
    return pytest.raises(gitlab.GitlabError, check=lambda error: error.response_code == status)


def test_a_created_runner_tells_its_token_once_and_never_again(sandbox: Sandbox) -> None:
    admin = sandbox.admin()
    admin.auth()
    assert admin.user is not None
    options = {"runner_type": "project_type", "project_id": 2, "tag_list": ["a", "b"]}
    created = admin.user.runners.create({**options, "maintenance_note": "kit"})
    assert created.token.startswith("glrt-")
    assert len(created.token) == len("glrt-") + 20
    runner = admin.runners.get(created.id)
    assert runner.tag_list == ["a", "b"]
    assert runner.maintenance_note == "kit"
    assert [project["id"] for project in runner.projects] == [2]
    assert runner.status == "never_contacted"
    assert "token" not in runner.attributes
    assert created.token not in str(sandbox.state())


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({}, 400),
        ({"runner_type": "shared"}, 400),
        ({"runner_type": "project_type"}, 400),
        ({"runner_type": "project_type", "project_id": 99}, 404),
        ({"runner_type": "instance_type", "maintenance_note": "x" * 1025}, 400),
        ({"runner_type": "instance_type", "maximum_timeout": 10}, 400),
        ({"runner_type": "instance_type", "run_untagged": False}, 400),
        ({"runner_type": "instance_type", "access_level": "public"}, 400),
    ],
)
def test_a_runner_that_makes_no_sense_is_refused(
    sandbox: Sandbox, options: dict[str, object], status: int
) -> None:
    with refused(status):
        sandbox.admin().http_post("/user/runners", post_data=options)
    assert sandbox.state()["runners"] == []


def test_each_scope_opens_only_its_doors(sandbox: Sandbox) -> None:
    number = sandbox.created()["id"]
    creator, manager = sandbox.admin(CREATE_TOKEN), sandbox.admin(MANAGE_TOKEN)
    creator.http_post("/user/runners", post_data={"runner_type": "instance_type"})
    manager.runners.update(number, {"paused": True})
    manager.http_post(f"/runners/{number}/reset_authentication_token")
    manager.runners.delete(number)
    for forbidden in (creator.auth, creator.runners_all.list, manager.runners_all.list):
        with refused(403):
            forbidden()
    with refused(403):
        manager.http_post("/user/runners", post_data={"runner_type": "instance_type"})


@pytest.mark.parametrize("token", [EXPIRED_TOKEN, "glpat-unknown"])
def test_a_token_that_is_expired_or_unknown_is_unauthorized(sandbox: Sandbox, token: str) -> None:
    with pytest.raises(gitlab.GitlabAuthenticationError):
        sandbox.admin(token).auth()


def test_a_bearer_token_is_as_good(sandbox: Sandbox) -> None:
    gitlab.Gitlab(sandbox.server.state.url, oauth_token=API_TOKEN).auth()


def test_a_token_tells_its_own_scopes(sandbox: Sandbox) -> None:
    answer = sandbox.admin(CREATE_TOKEN).personal_access_tokens.get("self")
    assert answer.scopes == ["create_runner"]


def test_lists_come_in_pages_that_the_client_walks(sandbox: Sandbox) -> None:
    numbers = [sandbox.created()["id"] for _ in range(25)]
    admin = sandbox.admin()
    assert [runner.id for runner in admin.runners_all.list(get_all=True)] == numbers[::-1]
    page = admin.runners_all.list(iterator=True)
    assert (page.total, page.per_page) == (25, 20)
    assert len(admin.runners_all.list(page=3, per_page=10)) == 5


def test_lists_are_filtered_as_asked(sandbox: Sandbox) -> None:
    web = sandbox.created(tag_list=["web", "docker"])
    idle = sandbox.created(paused=True, tag_list=["web"])
    own = sandbox.created(runner_type="project_type", project_id=1)
    group = sandbox.created(runner_type="group_type", group_id=1)
    sandbox.poll(web["token"], info={"version": "17.5.5"})
    admin = sandbox.admin()

    def found(**query: Any) -> list[int]:
        return sorted(runner.id for runner in admin.runners_all.list(**query))

    assert found(tag_list=["web", "docker"]) == [web["id"]]
    assert found(paused=True) == [idle["id"]]
    assert found(type="project_type") == [own["id"]]
    assert found(status="online") == [web["id"]]
    assert sorted(r.id for r in admin.runners.list()) == [own["id"], group["id"]]
    in_second = {runner.id for runner in admin.projects.get(2, lazy=True).runners.list()}
    assert in_second == {web["id"], idle["id"], group["id"]}
    in_group = {runner.id for runner in admin.groups.get("sandbox", lazy=True).runners.list()}
    assert in_group == {web["id"], idle["id"], group["id"]}


def test_a_runner_is_online_while_it_was_heard_of_lately(sandbox: Sandbox) -> None:
    created = sandbox.created()
    runners = sandbox.admin().runners
    sandbox.poll(created["token"])
    assert (runners.get(created["id"]).online, runners.get(created["id"]).status) == (
        True,
        "online",
    )
    sandbox.clock.now += 2 * 3600
    assert (runners.get(created["id"]).online, runners.get(created["id"]).status) == (
        False,
        "offline",
    )
    sandbox.clock.now += 7 * 24 * 3600
    assert runners.get(created["id"]).status == "stale"


def test_a_saved_runner_holds_its_changes(sandbox: Sandbox) -> None:
    runners = sandbox.admin().runners
    runner = runners.get(sandbox.created()["id"])
    runner.paused = True
    runner.tag_list = ["new"]
    runner.description = "renamed"
    runner.save()
    again = runners.get(runner.id)
    assert (again.paused, again.tag_list, again.description) == (True, ["new"], "renamed")


def test_a_deleted_runner_is_gone_for_both_sides(sandbox: Sandbox) -> None:
    created = sandbox.created()
    sandbox.admin().runners.delete(created["id"])
    with pytest.raises(gitlab.GitlabGetError):
        sandbox.admin().runners.get(created["id"])
    assert sandbox.poll(created["token"]).status == 403


def test_a_runner_can_be_deleted_by_its_token_without_an_access_token(sandbox: Sandbox) -> None:
    created = sandbox.created()
    gitlab.Gitlab(sandbox.server.state.url).runners.delete(token=created["token"])
    assert sandbox.state()["runners"] == []


def test_a_reset_token_puts_an_end_to_the_old_one(sandbox: Sandbox) -> None:
    created = sandbox.created()
    answer = sandbox.admin().http_post(f"/runners/{created['id']}/reset_authentication_token")
    assert isinstance(answer, dict)
    assert sandbox.poll(created["token"]).status == 403
    assert sandbox.poll(answer["token"]).status == 204


def test_a_runner_lists_its_jobs_by_status(sandbox: Sandbox) -> None:
    created = sandbox.created()
    numbers = [sandbox.queue(), sandbox.queue()]
    first = sandbox.poll(created["token"], "s_one").json
    sandbox.poll(created["token"], "s_two")
    body = {"token": first["token"], "state": "success"}
    sandbox.call("PUT", f"jobs/{first['id']}", body)
    jobs = sandbox.admin().runners.get(created["id"]).jobs
    assert [job.id for job in jobs.list()] == numbers[::-1]
    assert [job.id for job in jobs.list(status="running")] == numbers[1:]


def test_the_version_is_told(sandbox: Sandbox) -> None:
    assert sandbox.admin().version()[0] == "19.3.0"
