"""How a job's containers, directories and labels are called."""

import re
import secrets
from urllib.parse import urlsplit

from .. import log
from ..table import Table

PREFIX = "com.gitlab.gitlab-runner"
HELPER = "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper"
_ARCHITECTURES = {"amd64": "x86_64", "aarch64": "arm64", "armv7l": "arm", "armv6l": "arm"}


def unique_name(runner: Table, job: Table, slot: int) -> str:
    """`runner-<short token>-project-<id>-concurrent-<n>`, as host names may be."""
    project = job.table("job_info").number("project_id")
    name = f"runner-{log.short(runner.text('token'))}-project-{project}-concurrent-{slot}"
    return re.sub(r"[^a-z0-9.-]", "", name.lower())[:63].strip("-.")


def random_name(unique: str) -> str:
    return f"{unique}-{secrets.token_hex(8)}"


def project_dir(runner: Table, job: Table) -> str:
    path = urlsplit(job.table("git_info").text("repo_url")).path
    return f"{runner.text('builds_dir', '/builds')}/{path.removesuffix('.git').strip('/')}"


def job_url(job: Table) -> str:
    """Without the credentials that the repository's URL has."""
    url = urlsplit(job.table("git_info").text("repo_url"))
    clean = url._replace(netloc=url.netloc.rpartition("@")[2]).geturl()
    return f"{clean.removesuffix('.git')}/-/jobs/{job['id']}"


def labels(runner: Table, job: Table, slot: int) -> dict[str, str]:
    git, about = job.table("git_info"), job.table("job_info")
    found = {
        "job.id": job["id"],
        "job.url": job_url(job),
        "job.sha": git.text("sha"),
        "job.ref": git.text("ref"),
        "job.timeout": job.table("runner_info").number("timeout"),
        "project.id": about.number("project_id"),
        "pipeline.id": about.number("pipeline_id"),
        "runner.id": log.short(runner.text("token")),
        "runner.local_id": slot,
        "managed": "true",
    }
    return {f"{PREFIX}.{key}": str(value) for key, value in found.items()}


def helper_image(architecture: str, version: str) -> str:
    """The helper image's default name, for the Docker daemon's architecture."""
    return f"{HELPER}:{_ARCHITECTURES.get(architecture, architecture)}-v{version}"
