"""`gitlab-runner reset-token`: a new token from the server, which voids the old one."""

from collections.abc import Sequence

from .. import log
from ..config.file import Config
from ..server.runner_api import RunnerApi
from ..table import Table
from . import flags
from .flags import Flag
from .selection import ALL, NAME, URL, load, pick


def run(arguments: Sequence[str]) -> None:
    number, pat = Flag(("id",), ("i", "id"), kind="#"), Flag(("pat",), ("pat",))
    given = flags.options([NAME, URL, number, ALL, pat], arguments)
    config, _ = load(given)
    every = given.flag("all")
    if every:
        log.warning("Resetting all runner authentication tokens")
    for runner in config.runners if every else [_chosen(config, given)]:
        if not RunnerApi(runner, config.path).reset_token(given.text("pat")):
            fail = log.error if every else log.fatal
            fail("Failed to reset runner authentication token", name=runner.text("name"))
    config.save()
    log.info("Updated")


def _chosen(config: Config, given: Table) -> Table:
    if name := given.text("name"):
        return pick(config, name, "")
    url, number = given.text("url"), given.number("id")
    for runner in config.runners:
        if (runner.text("url"), runner.number("id")) == (url, number):
            return runner
    reason = f'could not find a runner with the URL "{url}" and ID {number}'
    return log.fatal("Couldn't get runner credentials", error=reason)
