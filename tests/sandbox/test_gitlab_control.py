"""The control interface, the failures that it orders, and the program as it is started."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import gitlab
import pytest

from sandbox.gitlab.seed import read
from tests.pages import commands
from tests.sandbox.gitlab_client import API_TOKEN, CREATE_TOKEN, Sandbox, running


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running() as started:
        yield started


def test_only_the_api_token_controls_the_sandbox(sandbox: Sandbox) -> None:
    assert sandbox.call("GET", "/sandbox/state").status == 401
    answer = sandbox.call("GET", "/sandbox/state", headers={"PRIVATE-TOKEN": CREATE_TOKEN})
    assert answer.status == 403


def test_the_job_of_the_page(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / ".sandbox").mkdir()
    (tmp_path / ".sandbox/api-token").write_text(API_TOKEN)
    (line,) = commands("tests/sandbox/test_gitlab_control.py::test_the_job_of_the_page")
    typed = re.sub(r"http://[\d.:]+", sandbox.server.state.url, line)
    subprocess.run(["bash", "-ec", typed], cwd=tmp_path, check=True, capture_output=True)
    (job,) = sandbox.state()["jobs"]
    assert job["status"] == "pending"
    assert sandbox.server.state.jobs[job["id"]].script == ["sleep 60"]


def test_an_ordered_failure_comes_as_often_as_ordered_and_does_nothing(sandbox: Sandbox) -> None:
    order = {"endpoint": "POST /user/runners", "status": 502, "times": 2}
    sandbox.control("POST", "switches", {"fail_next": order})
    create = {"runner_type": "instance_type"}
    token = {"PRIVATE-TOKEN": API_TOKEN}
    statuses = [sandbox.call("POST", "user/runners", create, token).status for _ in range(3)]
    assert statuses == [502, 502, 201]
    state = sandbox.state()
    assert len(state["runners"]) == 1
    assert state["requests"] == {"POST /user/runners": 3}


def test_a_lost_answer_hides_work_that_was_done(sandbox: Sandbox) -> None:
    order = {"endpoint": "POST /user/runners", "status": 0, "after": True}
    sandbox.control("POST", "switches", {"fail_next": order})
    with pytest.raises(ConnectionError):
        sandbox.created()
    assert len(sandbox.state()["runners"]) == 1


def test_a_clock_that_is_ahead_makes_managers_seem_long_gone(sandbox: Sandbox) -> None:
    token = {"token": sandbox.created()["token"]}
    assert sandbox.call("POST", "runners/verify", token).status == 200
    for ahead, status in ((3 * 3600, "offline"), (0, "online")):
        sandbox.control("POST", "switches", {"ahead_seconds": ahead})
        assert [one["status"] for one in sandbox.state()["runners"]] == [status]


def test_a_job_that_makes_no_sense_is_refused_and_not_queued(sandbox: Sandbox) -> None:
    assert sandbox.control("POST", "jobs", {"project_id": 99}).status == 404
    assert sandbox.control("POST", "jobs", {"timeout": "soon"}).status == 400
    assert sandbox.state()["jobs"] == []


def test_what_nobody_answers_is_not_found_in_json(sandbox: Sandbox) -> None:
    answer = sandbox.call("GET", "nothing")
    assert (answer.status, answer.json) == (404, {"error": "404 Not Found"})


def test_a_connection_serves_many_requests(sandbox: Sandbox) -> None:
    connection = sandbox.connect()
    for _ in range(3):
        connection.request("GET", "/api/v4/nothing")
        assert connection.getresponse().read() == b'{"error": "404 Not Found"}'
        assert connection.sock is not None
    connection.close()


def test_the_log_has_a_line_a_request_and_no_token(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    token = sandbox.created()["token"]
    sandbox.call("DELETE", f"runners?token={token}")
    sandbox.state()
    lines = capsys.readouterr().err
    assert "127.0.0.1 DELETE /api/v4/runners 204\n" in lines
    assert token not in lines
    assert API_TOKEN not in lines


def test_a_seed_is_read_from_json() -> None:
    tokens = {"api": "a", "create_runner manage_runner": "b", "expired": "c", "registration": "d"}
    seed = read(json.dumps(tokens))
    assert seed.access["b"].scopes == {"create_runner", "manage_runner"}
    assert seed.access["c"].expired
    assert "d" not in seed.access
    assert seed.registration == "d"


def test_the_program_serves_until_it_is_told_to_stop() -> None:
    program = subprocess.Popen(
        [sys.executable, "-m", "sandbox.gitlab", "--listen", "127.0.0.1:0"],
        env={**os.environ, "MINI_GITLAB_TOKENS": json.dumps({"api": API_TOKEN})},
        cwd=Path(__file__).parents[2],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stderr is not None
    url = program.stderr.readline().split()[-1]
    gitlab.Gitlab(url, private_token=API_TOKEN).auth()
    program.send_signal(signal.SIGTERM)
    assert program.wait(10) == 0
    assert "Traceback" not in program.stderr.read()
