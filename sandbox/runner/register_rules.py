"""What `register` refuses, warns of and fills in."""

from collections.abc import Mapping
from typing import Any

from . import log, options
from .config import Runner

EXECUTORS = [
    "custom",
    "docker",
    "docker-autoscaler",
    "docker-windows",
    "docker+machine",
    "instance",
    "kubernetes",
    "parallels",
    "shell",
    "ssh",
    "virtualbox",
]
DOCKER_EXECUTORS = {"docker", "docker+machine", "docker-autoscaler", "docker-windows"}
_DOCS = (
    "https://docs.gitlab.com/ci/runners/new_creation_workflow.html"
    "#changes-to-the-gitlab-runner-register-command-syntax"
)


def need(key: str, value: Any) -> str:
    """A value that a non-interactive registration cannot ask for."""
    text = str(value or "").strip()
    if not text:
        log.panic(f"The {key} needs to be entered")
    return text


def check_reserved(own: Mapping[str, Any], token: str) -> None:
    """A glrt- token leaves seven options to the server: refused, or ignored the old way."""
    if own["locked"] and not any(
        own.get(flag.path[0]) for flag in options.RESERVED if flag.path != ("locked",)
    ):
        return
    if own.get("registration_token") == token:
        log.warning(
            "You have specified an authentication token in the legacy parameter "
            "--registration-token. This has triggered the 'legacy-compatible registration "
            "process' which has resulted in the following command line parameters being "
            "ignored: --locked, --access-level, --run-untagged, --maximum-timeout, --paused, "
            f"--tag-list, and --maintenance-note. For more information, see {_DOCS}"
            "These parameters and the legacy-compatible registration process will be removed "
            "in GitLab Runner 20.0. "
        )
        return
    log.fatal(
        "Runner configuration other than name and executor configuration is reserved "
        "(specifically --locked, --access-level, --run-untagged, --maximum-timeout, --paused, "
        "--tag-list, and --maintenance-note) and cannot be specified when registering with a "
        "runner authentication token. This configuration is specified on the GitLab server. "
        "Please try again without specifying any of those arguments. "
        f"For more information, see {_DOCS}"
    )


def legacy_parameters(name: str, own: Mapping[str, Any]) -> dict[str, Any]:
    """The body of the old way's POST /runners."""
    tags = own.get("tag_list", "")
    optional = {
        "description": name,
        "maintenance_note": own.get("maintenance_note"),
        "tag_list": tags,
        "access_level": own.get("access_level"),
        "maximum_timeout": own.get("maximum_timeout"),
    }
    return {
        "run_untagged": own.get("run_untagged", False) or not tags,
        "locked": own["locked"],
        "paused": own.get("paused", False),
        **{key: value for key, value in optional.items() if value},
    }


def warn_of_limits(runner: Runner, have: int) -> None:
    rest = "The global concurrent limit will not be increased and takes precedence."
    if (limit := runner.get("limit", 0)) > have:
        log.warning(
            f"The specified runner job concurrency limit ({limit}) is larger than current "
            f"global concurrency limit ({have}). {rest}"
        )
    if (requests := runner.get("request_concurrency", 0)) > have:
        log.warning(
            f"The specified runner request concurrency ({requests}) is larger than the current "
            f"global concurrent limit ({have}). {rest}"
        )


def settle_executor(runner: Runner) -> None:
    executor = need("executor", runner.get("executor"))
    if executor not in EXECUTORS:
        log.panic("Invalid executor specified")
    docker = runner.pop("docker", {})
    if executor in DOCKER_EXECUTORS:
        runner["docker"] = docker
        docker["image"] = need("docker-image", docker.get("image"))
        volumes = docker.get("volumes", [])
        cached = any(volume.split(":")[-1] == "/cache" for volume in volumes)
        if not cached and not docker.get("disable_cache"):
            docker["volumes"] = [*volumes, "/cache"]
