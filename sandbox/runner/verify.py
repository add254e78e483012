"""`gitlab-runner verify`: ask the server whether the tokens are good."""

from collections.abc import Sequence
from typing import Any

from . import api, config, log
from .flags import Flag
from .selection import NAME, TOKEN, URL, given_by, load


def run(arguments: Sequence[str]) -> None:
    """Only a refusal is a failure: a server that cannot be reached is not."""
    own = [
        NAME,
        URL,
        TOKEN,
        Flag(("delete",), ("delete",), kind="bool"),
    ]
    given = given_by(own, arguments)
    log.user_mode_warning()
    current, system_id = load(given["path"])
    selected = [runner for runner in current.runners if _selects(given, runner)]
    if not selected and any(given.get(key) for key in ("name", "url", "token")):
        log.fatal("no runner matches the filtering parameters")
    refused = [
        runner for runner in selected if api.Api(runner, current.path).verify(system_id) is None
    ]
    if not refused:
        return
    if not given.get("delete"):
        log.fatal("Failed to verify runners")
    current.data["runners"] = [
        runner for runner in current.runners if not any(runner is gone for gone in refused)
    ]
    current.save()
    log.info(f"Updated {current.path}")


def _selects(given: dict[str, Any], runner: config.Runner) -> bool:
    name, url, token = (given.get(key, "") for key in ("name", "url", "token"))
    if not (name or url or token):
        return True
    return runner.get("name") == name or (runner["url"], runner["token"]) == (url, token)
