"""The coordinator's side of jobs: from the queue to the last byte of the trace."""

import threading
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.gitlab_client import (
    REGISTRATION_TOKEN,
    Answer,
    Sandbox,
    running,
    until_polled,
)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running() as started:
        yield started


def taken(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    """A job that a new runner has taken: its payload."""
    answer = sandbox.poll(sandbox.created()["token"], **more)
    assert answer.status == 201, answer.content
    return dict(answer.json)


def patch(sandbox: Sandbox, job: dict[str, Any], text: bytes, start: int = 0) -> Answer:
    span = f"{start}-{start + len(text) - 1}"
    headers = {"JOB-TOKEN": job["token"], "Content-Range": span}
    return sandbox.call("PATCH", f"jobs/{job['id']}/trace?debug_trace=false", text, headers)


def put(sandbox: Sandbox, job: dict[str, Any], state: str, **more: Any) -> Answer:
    return sandbox.call("PUT", f"jobs/{job['id']}", {"token": job["token"], "state": state, **more})


def output(text: bytes) -> dict[str, Any]:
    return {"checksum": f"crc32:{zlib.crc32(text):08x}", "bytesize": len(text)}


def test_a_job_carries_every_field_with_the_type_that_a_runner_decodes(sandbox: Sandbox) -> None:
    number = sandbox.queue(
        image="debian:bookworm",
        script=["echo one", "echo two"],
        variables={"GREETING": "hello"},
        timeout=600,
    )
    job = taken(sandbox)
    assert job["id"] == number
    assert job["image"] == {"name": "debian:bookworm"}
    assert job["steps"][0]["script"] == ["echo one", "echo two"]
    assert job["runner_info"]["timeout"] == 600
    assert job["job_info"]["project_jobs_running_on_instance_runners_count"] == "0"
    assert len(job["git_info"]["sha"]) == 40
    assert job["git_info"]["repo_url"].startswith(f"http://gitlab-ci-token:{job['token']}@")
    variables = {variable["key"]: variable["value"] for variable in job["variables"]}
    assert variables["GREETING"] == "hello"
    assert variables["GIT_STRATEGY"] == "none"
    assert variables["FF_TIMESTAMPS"] == "false"


def test_a_job_variable_overrides_a_predefined_one(sandbox: Sandbox) -> None:
    sandbox.queue(variables={"GIT_STRATEGY": "empty"})
    strategies = [v["value"] for v in taken(sandbox)["variables"] if v["key"] == "GIT_STRATEGY"]
    assert strategies == ["empty"]


def test_the_runners_maximum_timeout_caps_the_jobs(sandbox: Sandbox) -> None:
    sandbox.queue(timeout=3600)
    runner = sandbox.created(maximum_timeout=900)
    assert sandbox.poll(runner["token"]).json["runner_info"]["timeout"] == 900


@pytest.mark.parametrize(
    ("runner", "job", "status"),
    [
        ({"tag_list": ["a", "b"]}, {"tags": ["a"]}, 201),
        ({"tag_list": ["a"]}, {"tags": ["a", "b"]}, 204),
        ({"tag_list": ["a"]}, {}, 201),
        ({"tag_list": ["a"], "run_untagged": False}, {}, 204),
        ({"paused": True}, {}, 204),
        ({"access_level": "ref_protected"}, {"protected": False}, 204),
        ({"runner_type": "project_type", "project_id": 2}, {"project_id": 1}, 204),
        ({"runner_type": "project_type", "project_id": 2}, {"project_id": 2}, 201),
        ({"runner_type": "group_type", "group_id": 1}, {"project_id": 2}, 201),
    ],
)
def test_a_runner_gets_only_the_jobs_that_it_may_run(
    sandbox: Sandbox, runner: dict[str, Any], job: dict[str, Any], status: int
) -> None:
    sandbox.queue(**job)
    assert sandbox.poll(sandbox.created(**runner)["token"]).status == status


def test_a_waiting_runner_is_woken_by_the_job(sandbox: Sandbox) -> None:
    token = sandbox.created()["token"]
    seen = sandbox.poll(token)
    assert seen.status == 204
    answers: list[Answer] = []
    update = seen.headers["X-GitLab-Last-Update"]
    waiting = threading.Thread(
        target=lambda: answers.append(sandbox.poll(token, last_update=update))
    )
    waiting.start()
    until_polled(sandbox, 2)
    number = sandbox.queue()
    waiting.join(10)
    assert [(answer.status, answer.json["id"]) for answer in answers] == [(201, number)]


def test_a_job_is_not_given_to_a_runner_that_hung_up(sandbox: Sandbox) -> None:
    token = sandbox.created()["token"]
    update = sandbox.poll(token).headers["X-GitLab-Last-Update"]
    connection = sandbox.connect()
    body = f'{{"token": "{token}", "system_id": "s_gone", "last_update": "{update}"}}'
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/api/v4/jobs/request", body, headers)
    until_polled(sandbox, 2)
    connection.close()
    number = sandbox.queue()
    assert sandbox.poll(token).json["id"] == number


def test_a_job_ends_when_its_whole_trace_is_there(sandbox: Sandbox) -> None:
    sandbox.queue()
    job = taken(sandbox)
    running_answer = put(sandbox, job, "running", output={})
    assert (running_answer.status, running_answer.headers["Job-Status"]) == (200, "running")
    text = b"hello\nworld\n"
    first = patch(sandbox, job, text[:6])
    assert first.status == 202
    assert first.headers["Range"] == "0-6"
    assert first.headers["Job-Status"] == "running"
    assert first.headers["X-GitLab-Trace-Update-Interval"] == "1"
    assert put(sandbox, job, "success", output=output(text)).status == 202
    assert patch(sandbox, job, text[6:], 6).status == 202
    assert put(sandbox, job, "success", output=output(text)).status == 200
    (done,) = sandbox.state()["jobs"]
    assert (done["state"], done["system_id"]) == ("success", "s_one")
    assert done["trace"] == text.decode()


def test_a_trace_that_differs_from_its_checksum_is_asked_for_again(sandbox: Sandbox) -> None:
    sandbox.queue()
    job = taken(sandbox)
    patch(sandbox, job, b"hellO")
    assert put(sandbox, job, "success", output=output(b"hello")).status == 412
    assert patch(sandbox, job, b"hello").status == 202
    assert put(sandbox, job, "success", output=output(b"hello")).status == 200


def test_a_piece_at_the_wrong_place_is_told_the_right_one(sandbox: Sandbox) -> None:
    sandbox.queue()
    job = taken(sandbox)
    patch(sandbox, job, b"hello")
    answer = patch(sandbox, job, b"again", 3)
    assert (answer.status, answer.headers["Range"]) == (416, "0-5")


def test_a_failed_job_keeps_its_reason_and_exit_code(sandbox: Sandbox) -> None:
    sandbox.queue()
    job = taken(sandbox)
    more = {"failure_reason": "script_failure", "exit_code": 3, "output": output(b"")}
    assert put(sandbox, job, "failed", **more).status == 200
    job_then = sandbox.state()["jobs"][0]
    assert (job_then["state"], job_then["failure_reason"], job_then["exit_code"]) == (
        "failed",
        "script_failure",
        3,
    )


def test_a_wrong_job_token_is_forbidden(sandbox: Sandbox) -> None:
    sandbox.queue()
    job = {**taken(sandbox), "token": "glcbt-64_wrong"}
    assert patch(sandbox, job, b"x").status == 403
    assert put(sandbox, job, "running").status == 403


def test_jobs_requests_note_the_manager_of_a_registered_runner(sandbox: Sandbox) -> None:
    registered = sandbox.call("POST", "runners", {"token": REGISTRATION_TOKEN}).json
    sandbox.poll(registered["token"], "r_abc", info={"version": "15.11.1"})
    managers = sandbox.state()["runners"][0]["managers"]
    assert [(m["system_id"], m["version"]) for m in managers] == [("r_abc", "15.11.1")]
