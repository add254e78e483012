"""The gitlab-runner command: global options, then one of the commands."""

import os
from collections.abc import Callable, Sequence

from . import daemon, flags, listing, log, register, reset_token, unregister, verify, version
from .flags import Flag

_GLOBAL = [
    Flag(("debug",), ("debug",), "RUNNER_DEBUG", "bool"),
    Flag(("log_level",), ("l", "log-level"), "LOG_LEVEL"),
    Flag(("log_format",), ("log-format",), "LOG_FORMAT"),
    Flag(("help",), ("h", "help"), kind="bool"),
    Flag(("version",), ("v", "version"), kind="bool"),
]
COMMANDS: dict[str, Callable[[Sequence[str]], None]] = {
    "register": register.run,
    "verify": verify.run,
    "unregister": unregister.run,
    "reset-token": reset_token.run,
    "list": listing.list_runners,
    "lint": listing.lint,
    "run": daemon.run,
}


def main(arguments: Sequence[str]) -> int:
    try:
        return _main(arguments)
    except flags.Usage as error:
        print(f"Incorrect Usage: {error}\n")
        log.configure(level="info")
        return _fatal(str(error))
    except log.Panic:
        return 1
    except SystemExit as leaving:
        return int(leaving.code or 0)


def _main(arguments: Sequence[str]) -> int:
    flags.warn_on_bool(arguments)
    position = next((i for i, word in enumerate(arguments) if word in COMMANDS), len(arguments))
    given = {path[0]: value for path, value in flags.parse(_GLOBAL, arguments[:position]).items()}
    if given.get("version"):
        print(version.extended(), end="")
        return 0
    level = "debug" if given.get("debug") else given.get("log_level")
    log.configure(level, given.get("log_format"))
    if position == len(arguments):
        words = [word for word in arguments if not word.startswith("-")]
        if words and words[0] != "help":
            return _fatal(f"Command {words[0]} not found.")
        print("gitlab-runner stand-in. Commands: " + ", ".join(COMMANDS))
        return 0
    log.info(
        "Runtime platform",
        arch=version.ARCH,
        os="linux",
        pid=os.getpid(),
        revision=version.REVISION,
        version=version.VERSION,
    )
    COMMANDS[arguments[position]](arguments[position + 1 :])
    return 0


def _fatal(message: str) -> int:
    try:
        log.fatal(message)
    except SystemExit:
        return 1
