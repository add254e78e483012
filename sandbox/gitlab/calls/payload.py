"""A job as the runner is given it."""

import hashlib
from urllib.parse import urlsplit

from sandbox.gitlab.model import Job, Runner
from sandbox.gitlab.state import State

FAILURE_REASONS = (
    "unknown_failure",
    "script_failure",
    "runner_system_failure",
    "job_execution_timeout",
    "image_pull_failure",
)


def commit(job: Job) -> str:
    """A commit id that stays the same for a job: there is no repository behind it."""
    return hashlib.sha1(f"job {job.id}".encode(), usedforsecurity=False).hexdigest()


def payload(state: State, runner: Runner, job: Job) -> dict[str, object]:
    """The body of a 201 to jobs/request; one wrong type here and the runner drops the job."""
    timeout = min(job.timeout, runner.maximum_timeout or job.timeout)
    project = state.projects[job.project_id]
    return {
        "id": job.id,
        "token": job.token,
        "allow_git_fetch": True,
        "job_info": {
            "id": job.id,
            "name": job.name,
            "stage": "test",
            "project_id": project.id,
            "project_name": project.name,
            "project_full_path": project.path,
            "pipeline_id": job.id,
            "time_in_queue_seconds": round(state.now() - job.created_at, 3),
            "project_jobs_running_on_instance_runners_count": "0",
        },
        "git_info": {
            "repo_url": _repository(state, job),
            "ref": "main",
            "ref_type": "branch",
            "sha": commit(job),
            "before_sha": "0" * 40,
            "refspecs": ["+refs/heads/main:refs/remotes/origin/main"],
            "depth": 20,
        },
        "runner_info": {"timeout": timeout},
        "variables": _variables(state, runner, job),
        "steps": [
            {
                "name": "script",
                "script": job.script,
                "timeout": timeout,
                "when": "on_success",
                "allow_failure": False,
            }
        ],
        "image": {"name": job.image},
        "services": [],
        "artifacts": [],
        "cache": [],
        "credentials": [],
        "dependencies": [],
        "features": {"trace_sections": True, "failure_reasons": list(FAILURE_REASONS)},
    }


def _repository(state: State, job: Job) -> str:
    url = urlsplit(state.url)
    path = state.projects[job.project_id].path
    return f"{url.scheme}://gitlab-ci-token:{job.token}@{url.netloc}{url.path}/{path}.git"


def _variables(state: State, runner: Runner, job: Job) -> list[dict[str, object]]:
    project = state.projects[job.project_id]
    predefined = {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_SERVER": "yes",
        "CI_SERVER_URL": state.url,
        "CI_API_V4_URL": f"{state.url}/api/v4",
        "CI_JOB_ID": str(job.id),
        "CI_JOB_NAME": job.name,
        "CI_JOB_STAGE": "test",
        "CI_PIPELINE_ID": str(job.id),
        "CI_PROJECT_ID": str(project.id),
        "CI_PROJECT_NAME": project.name,
        "CI_PROJECT_PATH": project.path,
        "CI_COMMIT_SHA": commit(job),
        "CI_COMMIT_REF_NAME": "main",
        "CI_RUNNER_ID": str(runner.id),
        "CI_RUNNER_DESCRIPTION": runner.description,
        "GIT_STRATEGY": "none",
        "FF_TIMESTAMPS": "false",
    }
    public: list[dict[str, object]] = [
        {"key": key, "value": value, "public": True}
        for key, value in (predefined | job.variables).items()
    ]
    secret = {"key": "CI_JOB_TOKEN", "value": job.token, "public": False, "masked": True}
    return [*public, secret]
