"""A job as the runner is given it."""

import hashlib
from urllib.parse import urlsplit

from sandbox.gitlab.model import Job, Runner
from sandbox.gitlab.world import World

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


def payload(world: World, runner: Runner, job: Job) -> dict[str, object]:
    """The body of a 201 to jobs/request; one wrong type here and the runner drops the job."""
    timeout = min(job.timeout, runner.maximum_timeout or job.timeout)
    project = world.projects[job.project_id]
    return {
        "id": job.id,
        "token": job.token,
        "allow_git_fetch": True,
        "job_info": {
            "id": job.id,
            "name": job.name,
            "stage": job.stage,
            "project_id": project.id,
            "project_name": project.name,
            "project_full_path": project.path,
            "pipeline_id": job.id,
            "time_in_queue_seconds": round(world.now() - job.created_at, 3),
            "project_jobs_running_on_instance_runners_count": _running_beside(world, job),
        },
        "git_info": {
            "repo_url": _repository(world, job),
            "ref": job.ref,
            "ref_type": "branch",
            "sha": commit(job),
            "before_sha": "0" * 40,
            "refspecs": [f"+refs/heads/{job.ref}:refs/remotes/origin/{job.ref}"],
            "depth": 20,
        },
        "runner_info": {"timeout": timeout},
        "variables": _variables(world, runner, job),
        "steps": _steps(job, timeout),
        "image": job.image or {"name": ""},
        "services": job.services,
        "artifacts": _artifacts(job),
        "cache": [],
        "credentials": [],
        "dependencies": _dependencies(world, job),
        "features": {"trace_sections": True, "failure_reasons": list(FAILURE_REASONS)},
    }


def _running_beside(world: World, job: Job) -> str:
    """How many others of the project run on instance runners: a number, sent as text."""
    return str(
        sum(
            other.running
            and other is not job
            and other.project_id == job.project_id
            and (owner := world.runners.get(other.runner_id or 0)) is not None
            and owner.runner_type == "instance_type"
            for other in world.jobs.values()
        )
    )


def _repository(world: World, job: Job) -> str:
    url = urlsplit(world.url)
    path = world.projects[job.project_id].path
    return f"{url.scheme}://gitlab-ci-token:{job.token}@{url.netloc}{url.path}/{path}.git"


def _steps(job: Job, timeout: int) -> list[dict[str, object]]:
    def step(name: str, script: list[str], when: str, allow_failure: bool) -> dict[str, object]:
        return {
            "name": name,
            "script": script,
            "timeout": timeout,
            "when": when,
            "allow_failure": allow_failure,
        }

    steps = [step("script", job.script, "on_success", False)]
    if job.after_script:
        steps.append(step("after_script", job.after_script, "always", True))
    return steps


def _variables(world: World, runner: Runner, job: Job) -> list[dict[str, object]]:
    project = world.projects[job.project_id]
    predefined = {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_SERVER": "yes",
        "CI_SERVER_URL": world.url,
        "CI_API_V4_URL": f"{world.url}/api/v4",
        "CI_JOB_ID": str(job.id),
        "CI_JOB_NAME": job.name,
        "CI_JOB_STAGE": job.stage,
        "CI_PIPELINE_ID": str(job.id),
        "CI_PROJECT_ID": str(project.id),
        "CI_PROJECT_NAME": project.name,
        "CI_PROJECT_PATH": project.path,
        "CI_COMMIT_SHA": commit(job),
        "CI_COMMIT_REF_NAME": job.ref,
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


def _artifacts(job: Job) -> list[dict[str, object]]:
    if not job.artifact_paths:
        return []
    return [
        {
            "name": "artifacts",
            "paths": job.artifact_paths,
            "untracked": False,
            "when": "on_success",
            "artifact_type": "archive",
            "artifact_format": "zip",
        }
    ]


def _dependencies(world: World, job: Job) -> list[dict[str, object]]:
    needed = [world.jobs[number] for number in job.dependencies]
    return [
        {
            "id": other.id,
            "token": other.token,
            "name": other.name,
            "artifacts_file": {"filename": filename, "size": len(content)},
        }
        for other in needed
        for kind, (filename, content) in other.artifacts.items()
        if kind == "archive"
    ]
