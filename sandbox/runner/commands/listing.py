"""`gitlab-runner list` and `gitlab-runner lint`: read config.toml, change nothing."""

from collections.abc import Sequence
from pathlib import Path

from .. import log
from ..config import file, keys
from ..config.known_keys import CONFIG
from . import flags


def list_runners(arguments: Sequence[str]) -> None:
    """Always succeeds. The real one prints tokens in full; this one prints the short form."""
    path = Path(flags.options([], arguments).text("config_file"))
    try:
        config = file.load(path)
    except (file.BadConfig, OSError) as error:
        log.warning(str(error))
        return
    log.info("Listing configured runners", ConfigFile=path)
    for runner in config.runners:
        token, url = log.short(runner.text("token")), runner.text("url")
        log.info(runner.text("name"), Executor=runner.text("executor"), Token=token, URL=url)


def lint(arguments: Sequence[str]) -> None:
    """New in 19.3: complains about keys that are not known."""
    path = Path(flags.options([], arguments).text("config_file"))
    try:
        raw = file.parse(path)
        file.normalised(raw)
    except (file.BadConfig, OSError) as error:
        log.fatal(str(error))
    if unknown := list(keys.unknown(raw, CONFIG)):
        for key in unknown:
            log.error(f"unknown key: {key}")
        log.fatal("Configuration file is invalid.")
    print("Configuration file is valid.")
