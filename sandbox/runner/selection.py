"""What the commands that name existing runners have in common."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import config, flags, log, systemid
from .flags import Flag
from .options import CONFIG_FILE

NAME = Flag(("name",), ("n", "name"))
URL = Flag(("url",), ("u", "url"))
TOKEN = Flag(("token",), ("t", "token"))
ALL = Flag(("all",), ("all-runners",), kind="bool")


def given_by(own: Sequence[Flag], arguments: Sequence[str]) -> dict[str, Any]:
    """The command's own options, and `path`: where config.toml is."""
    found = flags.parse([CONFIG_FILE, *own], arguments, os.environ)
    given = {path[0]: value for path, value in found.items()}
    given["path"] = Path(given.get("config_file") or config.default_path())
    return given


def load(path: Path) -> tuple[config.Config, str]:
    try:
        return config.load(path), systemid.load(path)
    except (config.BadConfig, OSError) as error:
        log.fatal(str(error))


def pick(current: config.Config, name: str, token: str) -> config.Runner:
    if not name and not token:
        log.fatal("at least one of --name or --token must be specified")
    for runner in current.runners:
        if (not name or runner.get("name") == name) and (not token or runner["token"] == token):
            found = runner
            break
    else:
        what = f"token '{log.short(token)}'" if token else f"name '{name}'"
        if name and token:
            what = f"Name '{name}' and Token '{log.short(token)}'"
        log.fatal(f"could not find a runner with the {what}")
    return found
