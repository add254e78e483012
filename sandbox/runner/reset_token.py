"""`gitlab-runner reset-token`, and the rotation that the daemon shares with it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import api, config, log
from .flags import Flag
from .selection import ALL, NAME, URL, given_by, load, pick


def run(arguments: Sequence[str]) -> None:
    own = [
        NAME,
        URL,
        Flag(("id",), ("i", "id"), kind="int"),
        ALL,
        Flag(("pat",), ("pat",)),
    ]
    given = given_by(own, arguments)
    log.user_mode_warning()
    current, _ = load(given["path"])
    if given.get("all"):
        log.warning("Resetting all runner authentication tokens")
        for runner in current.runners:
            if not rotate(runner, current.path, given.get("pat", "")):
                log.error("Failed to reset runner authentication token", name=runner.get("name"))
    else:
        runner = _choose(current, given)
        if not rotate(runner, current.path, given.get("pat", "")):
            log.fatal("Failed to reset runner authentication token", name=runner.get("name"))
    current.save()
    log.info("Updated")


def _choose(current: config.Config, given: dict[str, Any]) -> config.Runner:
    if name := given.get("name"):
        return pick(current, name, "")
    url, number = given.get("url", ""), given.get("id", 0)
    wanted = (r for r in current.runners if (r["url"], r.get("id", 0)) == (url, number))
    found = next(wanted, None)
    if found is None:
        reason = f'could not find a runner with the URL "{url}" and ID {number}'
        log.fatal("Couldn't get runner credentials", error=reason)
    return found


def rotate(runner: config.Runner, path: Path, pat: str = "") -> bool:
    """A new token into the entry; saving is the caller's."""
    answer = api.Api(runner, path).reset_token(pat)
    if answer is None:
        return False
    runner["token"] = answer["token"]
    runner["token_obtained_at"] = datetime.now(UTC).replace(microsecond=0)
    runner["token_expires_at"] = api.time_of(answer.get("token_expires_at"))
    return True
