"""A job that failed, as its manager's log and GitLab tell of it."""

import json

import pytest

from runnerkit.errors import KitError
from runnerkit.fleet.journals import job_logs
from runnerkit.fleet.journals.job_logs import JobLog, JobRef
from runnerkit.fleet.run import Outcome
from runnerkit.report.job_logs import shown

URL = "https://gitlab.example.com/git"
RECEIVED = "Checking for jobs... received                       job=12 repo_url=https://gitlab.example.com/g/p.git runner=t3_nqDp5B"
FAILED = "ERROR: Job failed (system failure): Error response from daemon: No such image: web:latest (manager.go:272:0s)  duration_s=1.2 job=12 project=7 runner=t3_nqDp5B"
AS_JSON = '{"duration_s":0.4,"job":12,"level":"info","msg":"Job succeeded","name":"ci1-web","project":7,"runner":"t3_nqDp5B"}'


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("12", JobRef(12)),
        (f"{URL}/g/sub/p/-/jobs/12", JobRef(12, "g/sub/p")),
        (f"{URL}/g/p/-/jobs/12?x=1#L4", JobRef(12, "g/p")),
        (f"{URL}/g/p/jobs/12/raw", JobRef(12, "g/p")),
        ("HTTPS://gitlab.example.com/git/g/p/-/jobs/12", JobRef(12, "g/p")),
    ],
)
def test_a_job_is_named_by_its_id_or_its_address(text: str, known: JobRef) -> None:
    assert job_logs.reference(text, f"{URL}/") == known


@pytest.mark.parametrize("text", ["x", "-1", "1" * 30, "https://other.example.com/g/p/-/jobs/1", f"{URL}/g/p", "12; rm -rf /", f"{URL}/../g/jobs/1", f"{URL}/g/../p/-/jobs/1", f"{URL}/p?x=/jobs/1"])  # fmt: skip
def test_what_names_no_job_of_this_gitlab_is_refused(text: str) -> None:
    with pytest.raises(KitError, match="neither a job's id nor the address"):
        job_logs.reference(text, URL)


def test_the_managers_log_tells_how_a_job_ended() -> None:
    log = job_logs._of_manager(12, [RECEIVED, FAILED])
    assert (log.status, log.reason, log.project) == ("failed", "runner_system_failure", "7")
    assert [one.finding.code for one in log.recognized] == ["log-image-not-there"]
    well = job_logs._of_manager(12, [AS_JSON])
    assert (well.status, well.runner, well.recognized) == ("success", "ci1-web", ())
    running = job_logs._of_manager(12, [RECEIVED])
    assert (running.status, running.project) == ("running", "g/p")


@pytest.mark.parametrize(
    "path", ["..", "../users", "g/..", ".", "g/p/../..", "g/p?x=1", "g%2f..", "/g/p", "g"]
)
def test_a_project_that_is_none_is_not_believed(path: str) -> None:
    """Whoever has a host writes its log, and GitLab is asked with a token."""
    line = FAILED.replace("project=7", f"project={path}")
    assert job_logs._of_manager(12, [line]).project == ""
    url = RECEIVED.replace("g/p.git", f"{path}.git")
    assert job_logs._of_manager(12, [url]).project == ""


@pytest.mark.parametrize("path", ["7", "g/p", "my-group/sub.group/.dot/p_1"])
def test_a_project_is_its_id_or_its_path(path: str) -> None:
    line = FAILED.replace("project=7", f"project={path}")
    assert job_logs._of_manager(12, [line]).project == path


def test_a_job_is_shown_once_where_it_ran() -> None:
    log = job_logs._of_manager(12, [RECEIVED, FAILED])
    there = JobLog(12, here=False, status="failed")
    page = shown([Outcome("ci1", there), Outcome("ci2", log)], "12")
    assert page.lines[0] == "job 12 of 7: failed (runner_system_failure), host ci2"
    assert sum(line.startswith("job 12") for line in page.lines) == 1
    assert (page.code, json.dumps(page.data)[:9]) == (0, '{"hosts":')


def test_a_job_that_nobody_had_or_that_nothing_explains_is_told_so() -> None:
    nobody = shown([Outcome("ci1", None)], "12")
    assert (nobody.code, "none of these hosts had it" in nobody.lines[0]) == (1, True)
    strange = shown([Outcome("ci1", JobLog(12, here=True, status="failed"))], "12")
    assert (strange.code, "none of this is a message" in strange.lines[1]) == (1, True)
    down = shown([Outcome[JobLog | None]("ci1", error="refused", fix="x")], "12")
    assert (down.code, down.lines) == (1, [])


def test_no_token_of_a_log_is_shown() -> None:
    line = f"{FAILED} token=glrt-abcdefghij0123456789"
    page = shown([Outcome("ci1", job_logs._of_manager(12, [line]))], "12")
    assert "abcdefghij" not in "\n".join(page.lines) + json.dumps(page.data)
