"""`gitlab-runner unregister`: away from the server, then out of config.toml."""

from collections.abc import Sequence

from . import api, log
from .flags import Flag
from .selection import ALL, NAME, given_by, load, pick


def run(arguments: Sequence[str]) -> None:
    own = [
        NAME,
        Flag(("url",), ("u", "url"), "CI_SERVER_URL"),
        Flag(("token",), ("t", "token"), "CI_SERVER_TOKEN"),
        ALL,
    ]
    given = given_by(own, arguments)
    log.user_mode_warning()
    current, system_id = load(given["path"])
    if given.get("all"):
        log.warning("Unregistering all runners")
        kept = []
        for runner in current.runners:
            if not api.Api(runner, current.path).unregister(system_id):
                log.error(f"Failed to unregister runner {runner.get('name', '')}")
                kept.append(runner)
    else:
        gone = pick(current, given.get("name", ""), given.get("token", ""))
        if not api.Api(gone, current.path).unregister(system_id):
            log.fatal(f"Failed to unregister runner {given.get('name', '')}")
        kept = [
            runner
            for runner in current.runners
            if (runner["url"], runner["token"]) != (gone["url"], gone["token"])
        ]
    if len(kept) != len(current.runners):
        current.data["runners"] = kept
        current.save()
        log.info(f"Updated {current.path}")
