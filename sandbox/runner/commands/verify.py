"""`gitlab-runner verify`: ask the server whether the tokens are good."""

from collections.abc import Sequence

from .. import log
from ..server.runner_api import RunnerApi
from ..table import Table
from . import flags
from .flags import Flag
from .selection import NAME, TOKEN, URL, load


def run(arguments: Sequence[str]) -> None:
    """Only a refusal is a failure: a server that cannot be reached is not."""
    delete = Flag(("delete",), ("delete",), kind="?")
    given = flags.options([NAME, URL, TOKEN, delete], arguments)
    config, system_id = load(given)
    selected = [runner for runner in config.runners if _selects(given, runner)]
    if not selected and any(given.text(key) for key in ("name", "url", "token")):
        log.fatal("no runner matches the filtering parameters")
    refused = [
        runner for runner in selected if RunnerApi(runner, config.path).verify(system_id) is None
    ]
    if not refused:
        return
    if not given.flag("delete"):
        log.fatal("Failed to verify runners")
    config.runners = [
        runner for runner in config.runners if not any(runner is other for other in refused)
    ]
    config.save()
    log.info(f"Updated {config.path}")


def _selects(given: Table, runner: Table) -> bool:
    name, url, token = (given.text(key) for key in ("name", "url", "token"))
    if not (name or url or token):
        return True
    return runner.text("name") == name or (runner["url"], runner["token"]) == (url, token)
