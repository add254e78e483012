"""What `register` refuses, warns of and fills in."""

from .. import log
from ..table import Table
from . import options

DOCKER = {"docker", "docker-autoscaler", "docker-windows", "docker+machine"}
OTHERS = {"custom", "instance", "kubernetes", "parallels", "shell", "ssh", "virtualbox"}
_DOCS = (
    "https://docs.gitlab.com/ci/runners/new_creation_workflow.html"
    "#changes-to-the-gitlab-runner-register-command-syntax"
)


def need(key: str, table: Table) -> str:
    """A value that a non-interactive registration cannot ask for."""
    value = table.text(key.replace("-", "_")).strip()
    return value or log.panic(f"The {key} needs to be entered")


def check_reserved(own: Table) -> None:
    """A glrt- token leaves seven options to the server."""
    others = [flag.path[0] for flag in options.RESERVED if flag.path != ("locked",)]
    if own.flag("locked") and not any(own.get(key) for key in others):
        return
    log.fatal(
        "Runner configuration other than name and executor configuration is reserved "
        "(specifically --locked, --access-level, --run-untagged, --maximum-timeout, --paused, "
        "--tag-list, and --maintenance-note) and cannot be specified when registering with a "
        "runner authentication token. This configuration is specified on the GitLab server. "
        "Please try again without specifying any of those arguments. "
        f"For more information, see {_DOCS}"
    )


def legacy_parameters(name: str, own: Table) -> dict[str, object]:
    """The body of the old way's POST /runners."""
    optional = ("maintenance_note", "tag_list", "access_level", "maximum_timeout")
    return {
        "description": name,
        "run_untagged": own.flag("run_untagged") or not own.text("tag_list"),
        "locked": own.flag("locked"),
        "paused": own.flag("paused"),
        **{key: own[key] for key in optional if own.get(key)},
    }


def settle_executor(runner: Table) -> None:
    executor = need("executor", runner)
    if executor not in DOCKER | OTHERS:
        log.panic("Invalid executor specified")
    docker = runner.table("docker")
    if executor not in DOCKER:
        del runner["docker"]
        return
    if not docker.text("image"):
        log.panic("The docker-image needs to be entered")
    volumes = docker.texts("volumes")
    cached = any(volume.split(":")[-1] == "/cache" for volume in volumes)
    if not cached and not docker.flag("disable_cache"):
        docker["volumes"] = [*volumes, "/cache"]
