"""How a job's containers, directories and labels are called."""

import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from . import log

PREFIX = "com.gitlab.gitlab-runner"


def unique_name(runner: Mapping[str, Any], job: Mapping[str, Any], slot: int) -> str:
    """`runner-<short token>-project-<id>-concurrent-<n>`, as host names may be."""
    project = job["job_info"]["project_id"]
    name = f"runner-{log.short(runner['token'])}-project-{project}-concurrent-{slot}"
    return re.sub(r"[^a-z0-9.-]", "", name.lower())[:63].strip("-.")


def random_name(unique: str) -> str:
    return f"{unique}-{secrets.token_hex(8)}"


def project_dir(runner: Mapping[str, Any], job: Mapping[str, Any]) -> str:
    base = str(runner.get("builds_dir") or "/builds")
    url = urlsplit(job.get("git_info", {}).get("repo_url") or "")
    slug = url.path.removesuffix(".git").strip("/")
    if not url.hostname or not slug or ".." in slug:
        slug = f"project-{job['job_info']['project_id']}"
    return f"{base}/{slug}"


def clean_url(job: Mapping[str, Any]) -> str:
    """The repository's URL without the credentials in it."""
    url = urlsplit(str(job.get("git_info", {}).get("repo_url") or ""))
    return url._replace(netloc=url.netloc.rpartition("@")[2]).geturl()


def job_url(job: Mapping[str, Any]) -> str:
    return f"{clean_url(job).removesuffix('.git')}/-/jobs/{job['id']}"


def labels(runner: Mapping[str, Any], job: Mapping[str, Any], slot: int) -> dict[str, str]:
    git = job.get("git_info", {})
    found = {
        "job.id": job["id"],
        "job.url": job_url(job),
        "job.sha": git.get("sha", ""),
        "job.before_sha": git.get("before_sha", ""),
        "job.ref": git.get("ref", ""),
        "job.timeout": job.get("runner_info", {}).get("timeout", ""),
        "project.id": job["job_info"]["project_id"],
        "pipeline.id": job["job_info"].get("pipeline_id", ""),
        "runner.id": log.short(runner["token"]),
        "runner.local_id": slot,
        "managed": "true",
    }
    return {f"{PREFIX}.{key}": str(value) for key, value in found.items()}


def helper_image(architecture: str, version: str, flavor: str = "") -> str:
    """The helper image's default name, for the Docker daemon's architecture."""
    names = {"amd64": "x86_64", "aarch64": "arm64", "armv7l": "arm", "armv6l": "arm"}
    prefix = f"{flavor}-" if flavor and flavor != "alpine" else ""
    arch = names.get(architecture, architecture)
    registry = "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper"
    return f"{registry}:{prefix}{arch}-v{version}"


def service_aliases(image: str) -> list[str]:
    """How a service is reached: `group/name:1` is both group__name and group-name."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    name = re.sub(r":\d+(?=/)", "", f"{head}{slash}{last.partition(':')[0]}")
    found = [name.replace("/", "__"), name.replace("/", "-")]
    return list(dict.fromkeys(found))
