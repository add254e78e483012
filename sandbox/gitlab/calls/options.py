"""The options of a runner that registration, creation and update have in common."""

from sandbox.gitlab.http.params import Params
from sandbox.gitlab.http.web import Refusal
from sandbox.gitlab.model import Runner

ACCESS_LEVELS = ("not_protected", "ref_protected")
NOTE_LIMIT = 1024
SHORTEST_TIMEOUT = 600


def apply(runner: Runner, params: Params) -> None:
    """Set what was sent, leave the rest."""
    errors = _errors(runner, params)
    if errors:
        raise Refusal(400, {"message": errors})
    for name in ("description", "maintenance_note"):
        if name in params:
            setattr(runner, name, params.text(name))
    for name in ("paused", "locked", "run_untagged"):
        if name in params:
            setattr(runner, name, params.flag(name))
    if "active" in params:
        runner.paused = not params.flag("active")
    if "tag_list" in params:
        runner.tag_list = list(dict.fromkeys(params.words("tag_list")))
    if level := params.choice("access_level", ACCESS_LEVELS):
        runner.access_level = level
    if "maximum_timeout" in params:
        runner.maximum_timeout = params.number("maximum_timeout")


def _errors(runner: Runner, params: Params) -> dict[str, list[str]]:
    errors = {}
    if len(params.text("maintenance_note")) > NOTE_LIMIT:
        errors["maintenance_note"] = [f"is too long (maximum is {NOTE_LIMIT} characters)"]
    timeout = params.number("maximum_timeout")
    if timeout is not None and timeout < SHORTEST_TIMEOUT:
        errors["maximum_timeout"] = ["needs to be at least 10 minutes"]
    tags = params.words("tag_list") if "tag_list" in params else runner.tag_list
    if not tags and not params.flag("run_untagged", runner.run_untagged):
        errors["tags_list"] = ["can not be empty when runner is not allowed to pick untagged jobs"]
    return errors
