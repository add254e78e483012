"""`gitlab-runner verify`: ask the server whether the tokens are good."""

from collections.abc import Sequence

from .. import log
from ..server.runner_api import RunnerApi
from . import flags
from .flags import Flag
from .selection import load


def run(arguments: Sequence[str]) -> None:
    """Only a refusal is a failure: a server that cannot be reached is not."""
    given = flags.options([Flag(("delete",), ("delete",), kind="?")], arguments)
    config, system_id = load(given)
    good = [
        runner
        for runner in config.runners
        if RunnerApi(runner, config.path).verify(system_id) is not None
    ]
    if len(good) == len(config.runners):
        return
    if not given.flag("delete"):
        log.fatal("Failed to verify runners")
    config.runners = good
    config.save()
    log.info(f"Updated {config.path}")
