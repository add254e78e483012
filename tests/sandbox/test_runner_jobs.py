"""The stand-in runner's jobs, from the miniature GitLab and back, in this machine's own shell."""

import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.runner.config.file import Config
from sandbox.runner.job.build_log import BuildLog
from sandbox.runner.job.failure import JobError
from sandbox.runner.job.stopping import Stopping
from sandbox.runner.polling.debug_server import DebugServer
from sandbox.runner.polling.pool import Pool
from sandbox.runner.table import Table
from tests.sandbox.gitlab_client import Sandbox, running


class Shell:
    """In the docker executor's place."""

    def __init__(self, _: Table, job: Table, variables: object, log: BuildLog, slot: int) -> None:
        self._log = log

    def prepare(self) -> None:
        pass

    def run(self, kind: str, stdin: str, stopping: Stopping) -> None:
        pipe = subprocess.PIPE
        with subprocess.Popen(["sh"], stdin=pipe, stdout=pipe, start_new_session=True) as process:
            assert process.stdin
            assert process.stdout
            with stopping.ending(lambda: os.killpg(process.pid, signal.SIGKILL)):
                process.stdin.write(stdin.encode())
                process.stdin.close()
                for line in process.stdout:
                    self._log.output(line)
        if process.returncode:
            raise JobError(f"exit code {process.returncode}", "script_failure", process.returncode)

    def clean(self) -> None:
        pass


@dataclass
class Case:
    gitlab: Sandbox
    pool: Pool

    def job(self, ready: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The only job, once it is as it is awaited."""
        until = time.monotonic() + 20
        while not ready(job := dict(self.gitlab.state()["jobs"][0])):
            assert time.monotonic() < until, job
            time.sleep(0.02)
        return job

    def end(self) -> dict[str, Any]:
        return self.job(lambda job: job["state"] in ("success", "failed"))


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    monkeypatch.setattr("sandbox.runner.job.job.Executor", Shell)
    monkeypatch.setattr("sandbox.runner.server.trace.INTERVAL", 0.02)
    with running() as gitlab:
        token = gitlab.created()["token"]
        url, builds = gitlab.server.state.url, str(tmp_path)
        runner = Table(name="web", url=url, token=token, executor="docker", builds_dir=builds)
        config = Config(tmp_path / "config.toml", Table(concurrent=1, runners=[runner]))
        pool = Pool(config, "r_000000000000")
        yield Case(gitlab, pool)
        pool.stop()
        pool.abort("the test is over")
        until = time.monotonic() + 20
        while not pool.idle():
            assert time.monotonic() < until
            time.sleep(0.02)


def test_a_job_that_passes(case: Case) -> None:
    case.gitlab.queue(
        script=["echo hello from $CI_JOB_NAME", "echo $CI_JOB_TOKEN"], name="greeting"
    )
    case.pool.start()
    job = case.end()
    assert (job["state"], job["system_id"]) == ("success", "r_000000000000")
    assert "\nhello from greeting\n" in job["trace"]
    assert "\nglcbt-[MASKED]\n" in job["trace"] or "\n[MASKED]\n" in job["trace"]
    assert "Job succeeded" in job["trace"]


def test_a_job_that_fails(case: Case) -> None:
    case.gitlab.queue(script=["exit 3", "echo never"])
    case.pool.start()
    job = case.end()
    assert (job["state"], job["failure_reason"], job["exit_code"]) == (
        "failed",
        "script_failure",
        3,
    )
    assert "ERROR: Job failed: exit code 3" in job["trace"]


def test_a_job_in_a_runner_that_must_stop(case: Case) -> None:
    case.gitlab.queue(script=["echo begun", "exec sleep 30"])
    case.pool.start()
    case.job(lambda job: "begun\n" in job["trace"])
    case.pool.abort("terminated")
    job = case.end()
    assert job["failure_reason"] == "runner_system_failure"
    assert "ERROR: Job failed (system failure): aborted: terminated" in job["trace"]


def test_a_job_past_its_time(case: Case) -> None:
    case.gitlab.queue(script=["exec sleep 30"], timeout=1)
    case.pool.start()
    job = case.end()
    assert job["failure_reason"] == "job_execution_timeout"


def test_what_runs_is_listed_and_counted(case: Case) -> None:
    server = DebugServer(case.pool)
    port = server.start("127.0.0.1:0")
    number = case.gitlab.queue(script=["echo begun", "exec sleep 30"])
    case.pool.start()
    case.job(lambda job: "begun\n" in job["trace"])

    def page(path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return str(answer.read().decode())

    assert f"/sandbox/first/-/jobs/{number} state=running" in page("/debug/jobs/list")
    assert "gitlab_runner_jobs 1\n" in page("/metrics")
    assert page("/health/ready") == "ready\n"
