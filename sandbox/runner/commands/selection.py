"""What the commands that name existing runners have in common."""

from pathlib import Path

from .. import log
from ..config import file, system_id
from ..config.file import Config
from ..table import Table
from .flags import Flag

NAME = Flag(("name",), ("n", "name"))
URL = Flag(("url",), ("u", "url"))
ALL = Flag(("all",), ("all-runners",), kind="?")


def load(given: Table) -> tuple[Config, str]:
    log.mode()
    path = Path(given.text("config_file"))
    try:
        return file.load(path), system_id.load(path)
    except (file.BadConfig, OSError) as error:
        log.fatal(str(error))


def pick(config: Config, name: str, token: str) -> Table:
    if not name and not token:
        log.fatal("at least one of --name or --token must be specified")
    for runner in config.runners:
        if name in ("", runner.text("name")) and token in ("", runner.text("token")):
            return runner
    what = f"token '{log.short(token)}'" if token else f"name '{name}'"
    return log.fatal(f"could not find a runner with the {what}")
