"""The gitlab-runner command: global options, then one of the commands."""

import os
from collections.abc import Callable, Sequence

from . import log, version
from .commands import flags, listing, register, reset_token, unregister, verify
from .commands.flags import Flag

_GLOBAL = [
    Flag(("debug",), ("debug",), "RUNNER_DEBUG", "?"),
    Flag(("log_level",), ("l", "log-level"), "LOG_LEVEL"),
    Flag(("help",), ("h", "help"), kind="?"),
    Flag(("version",), ("v", "version"), kind="?"),
]


def _daemon(arguments: Sequence[str]) -> None:
    from .polling import daemon  # with Docker's library: more to read than all the rest together

    daemon.run(arguments)


COMMANDS: dict[str, Callable[[Sequence[str]], None]] = {
    "register": register.run,
    "verify": verify.run,
    "unregister": unregister.run,
    "reset-token": reset_token.run,
    "list": listing.list_runners,
    "lint": listing.lint,
    "run": _daemon,
}


def main(arguments: Sequence[str]) -> int:
    try:
        _main(arguments)
    except flags.Usage as error:
        print(f"Incorrect Usage: {error}\n")
        log.write("fatal", str(error), {})
        return 1
    except SystemExit as leaving:
        return int(leaving.code or 0)
    return 0


def _main(arguments: Sequence[str]) -> None:
    position = next((i for i, word in enumerate(arguments) if word in COMMANDS), len(arguments))
    if flags.parse(_GLOBAL, arguments[:position]).get(("version",)):
        print(version.extended(), end="")
        return
    if position == len(arguments):
        words = [word for word in arguments if not word.startswith("-")]
        if words and words[0] != "help":
            log.fatal(f"Command {words[0]} not found.")
        print("gitlab-runner stand-in. Commands: " + ", ".join(COMMANDS))
        return
    log.info(
        "Runtime platform",
        arch=version.ARCH,
        os="linux",
        pid=os.getpid(),
        revision=version.REVISION,
        version=version.VERSION,
    )
    COMMANDS[arguments[position]](arguments[position + 1 :])
