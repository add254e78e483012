"""`gitlab-runner unregister`: away from the server, then out of config.toml."""

from collections.abc import Sequence

from .. import log
from ..server.runner_api import RunnerApi
from . import flags
from .flags import Flag
from .selection import ALL, NAME, load, pick


def run(arguments: Sequence[str]) -> None:
    url = Flag(("url",), ("u", "url"), "CI_SERVER_URL")
    token = Flag(("token",), ("t", "token"), "CI_SERVER_TOKEN")
    given = flags.options([NAME, url, token, ALL], arguments)
    config, system_id = load(given)
    every = given.flag("all")
    if every:
        log.warning("Unregistering all runners")
    chosen = config.runners if every else [pick(config, given.text("name"), given.text("token"))]
    failed = [
        runner for runner in chosen if not RunnerApi(runner, config.path).unregister(system_id)
    ]
    for runner in failed:
        (log.error if every else log.fatal)(f"Failed to unregister runner {runner.text('name')}")
    kept = [runner for runner in config.runners if runner in failed or runner not in chosen]
    if len(kept) != len(config.runners):
        config.runners = kept
        config.save()
        log.info(f"Updated {config.path}")
