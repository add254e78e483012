"""`gitlab-runner list` and `gitlab-runner lint`: read config.toml, change nothing."""

from collections.abc import Sequence

from . import config, keys, log
from .schema import CONFIG
from .selection import given_by


def list_runners(arguments: Sequence[str]) -> None:
    """Always succeeds. The real one prints tokens in full; this one prints the short form."""
    path = given_by([], arguments)["path"]
    try:
        current = config.load(path)
    except (config.BadConfig, OSError) as error:
        log.warning(str(error))
        return
    log.info("Listing configured runners", ConfigFile=path)
    for runner in current.runners:
        log.info(
            str(runner.get("name", "")),
            Executor=runner.get("executor", ""),
            Token=log.short(runner["token"]),
            URL=runner["url"],
        )


def lint(arguments: Sequence[str]) -> None:
    path = given_by([], arguments)["path"]
    try:
        raw = config.parse(path)
        config.normalise(raw)
    except (config.BadConfig, OSError) as error:
        log.fatal(str(error))
    if found := [f"unknown key: {key}" for key in keys.unknown(raw, CONFIG)]:
        for line in found:
            log.error(line)
        log.fatal("Configuration file is invalid.")
    print("Configuration file is valid.")
