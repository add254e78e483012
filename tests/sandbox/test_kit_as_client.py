"""The kit's side of GitLab's API, against the miniature GitLab: what each token may, in words."""

from collections.abc import Iterable

import pytest

from runnerkit.errors import KitError
from runnerkit.facts import Facts
from runnerkit.fleet.host import Host
from runnerkit.fleet.journals import job_logs
from runnerkit.fleet.run import Unfinished
from runnerkit.gitlab.jobs import JobServer
from runnerkit.gitlab.runner_token import check_token
from runnerkit.gitlab.server import Server
from runnerkit.plan import Hint
from runnerkit.settings.docker import Docker
from runnerkit.settings.model import Manager
from runnerkit.settings.runner import Runner
from runnerkit.settings.secrets import Secret
from runnerkit.want import Want, WantedRunner
from tests.sandbox.gitlab_client import (
    API_TOKEN,
    CREATE_TOKEN,
    EXPIRED_TOKEN,
    MANAGE_TOKEN,
    running,
)

WANTED = WantedRunner("web", Runner(image="x"), "x")
MARKS = (WANTED.name("ci1"), WANTED.note("ci1"))
DATA = {
    "runner_type": "instance_type",
    "description": MARKS[0],
    "maintenance_note": MARKS[1],
}


def test_an_api_token_creates_finds_sees_updates_and_resets() -> None:
    with running() as there:
        server = Server(there.server.state.url, Secret(API_TOKEN))
        server.check()
        first = server.create(DATA)
        found = server.find(WANTED, *MARKS)
        assert found is not None
        assert server.find(WANTED, MARKS[0], WANTED.note("ci1 machine=0badcafe")) is None
        server.update(found.id, {"tag_list": ["a"], "paused": True})
        after = server.get(found.id)
        assert after is not None
        assert (after.tags, after.paused) == (frozenset({"a"}), True)
        assert server.reset(found.id) != first
        assert server.get(999) is None


def test_a_token_that_may_only_create_does_so_and_sees_nothing() -> None:
    with running() as there:
        server = Server(there.server.state.url, Secret(CREATE_TOKEN))
        server.check()
        assert server.create(DATA).reveal().startswith("glrt-")
        assert server.find(WANTED, *MARKS) is None
        assert server.get(1) is None
        with pytest.raises(KitError, match="may not do that"):
            server.update(1, {"paused": True})


def test_refusals_are_told_in_words() -> None:
    with running() as there:
        with pytest.raises(KitError, match="wrong, revoked or expired"):
            Server(there.server.state.url, Secret(EXPIRED_TOKEN)).check()
        with pytest.raises(KitError, match="may not do that"):
            Server(there.server.state.url, Secret(MANAGE_TOKEN)).create(DATA)
        with pytest.raises(KitError, match=r"refuses the runner's token \(TWO_TOKEN\)"):
            check_token(there.server.state.url, Secret("glrt-no-such-token"), "TWO_TOKEN")
    with pytest.raises(KitError, match="cannot be reached from here"):
        Server("http://127.0.0.1:1", Secret(API_TOKEN)).check()


def test_a_good_token_is_checked_without_leaving_a_manager() -> None:
    with running() as there:
        api = Server(there.server.state.url, Secret(API_TOKEN))
        check_token(there.server.state.url, api.create(DATA), "")
        found = api.find(WANTED, *MARKS)
        assert found is not None
        assert there.admin().http_list(f"/runners/{found.id}/managers") == []


def test_a_job_and_its_log_are_read_where_the_token_may() -> None:
    with running() as there:
        created = there.created(description="web")
        number = there.queue(project_id=2, name="lint")
        job = there.poll(created["token"], "s_0123456789ab").json
        headers = {"JOB-TOKEN": job["token"], "Content-Range": "0-11"}
        there.call("PATCH", f"jobs/{number}/trace", b"caf\xc3\xa9 \xff {}\n!", headers)
        body = {"token": job["token"], "state": "failed", "failure_reason": "script_failure"}
        there.call("PUT", f"jobs/{number}", body)
        url = there.server.state.url
        server = JobServer(url, Secret(API_TOKEN))
        project = server.project_of(created["id"], number)
        assert (project, server.project_of(created["id"], 99)) == ("2", "")
        path = there.server.state.projects[2].path
        for name in (project, path):
            found = server.job(name, number)
            assert found is not None
            assert (found.status, found.failure_reason) == ("failed", "script_failure")
            assert found.runner_manager is not None
            assert found.runner_manager.system_id == "s_0123456789ab"
            assert server.trace(name, number).startswith("café \ufffd {}")
        assert server.job("1", number) is None
        assert server.trace("1", number) == ""
        mute = JobServer(url, Secret(MANAGE_TOKEN))
        assert mute.project_of(created["id"], number) == "2"
        assert (mute.job("2", number), mute.trace("2", number)) == (None, "")


class Told(Host):
    """A host that says nothing of itself but that it is one."""

    def __init__(self) -> None:
        pass

    def look(self, script: str, hints: Iterable[Hint] = ()) -> str:
        return "kernel: Linux ci1 x86_64\nend: yes\n"

    def mirrors(self, _: object, have: Facts) -> Facts:
        return have

    def server(self, want: Want, have: Facts) -> Facts:
        return have


def test_a_job_that_no_runner_takes_is_known_by_its_address() -> None:
    with running() as there:
        number = there.queue(project_id=2, tags=["nobody"])
        url = there.server.state.url
        want, token = Want(url, Docker(), Manager()), Secret(API_TOKEN)
        ref = job_logs.reference(
            f"{url}/{there.server.state.projects[2].path}/-/jobs/{number}", url
        )
        found = job_logs._of_gitlab(Told(), want, token, ref, None)
        assert found is not None
        assert (found.status, found.here, found.runner) == ("pending", False, "")
        assert [one.finding.code for one in found.recognized] == ["log-job-stuck"]
        assert job_logs._of_gitlab(Told(), want, token, job_logs.JobRef(number), None) is None
        trace = "GET /projects/:project/jobs/:id/trace"
        failing = {"fail_next": {"endpoint": trace, "status": 400}}
        there.control("POST", "switches", failing)
        with pytest.raises(Unfinished) as end:
            job_logs._of_gitlab(Told(), want, token, ref, None)
        assert end.value.result.status == "pending"
