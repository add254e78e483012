"""The user's programs before and after what changes hosts, each told the event as JSON on its stdin."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from tempfile import TemporaryFile
from typing import IO

from runnerkit.errors import KitError, interruptible
from runnerkit.fleet.operation import Operation
from runnerkit.redact import mask, plain
from runnerkit.report.page import SCHEMA, note
from runnerkit.settings.hooks import Hooks
from runnerkit.settings.targets import Target

AFTERWARDS = 1  # seconds in which what a program has printed is read, when it has ended
FIX = "what it said stands above; run it by hand to see more"


def before(hooks: Hooks, operation: Operation, targets: Sequence[Target]) -> None:
    """Run the hook before the first host is touched.

    Raises:
        KitError: it failed, and the run shall not begin.
    """
    hosts = [{"host": one.name, "address": one.address} for one in targets]
    try:
        _run("before", hooks.before, hooks.time_limit, operation, hosts=hosts)
    except KitError as error:
        raise KitError(f"{error.what}; no host was touched", error.fix, error.code) from None


def after(
    hooks: Hooks,
    operation: Operation,
    hosts: Sequence[Mapping[str, object]],
    code: int,
    error: str = "",
) -> None:
    """Run the hook when all is done.

    Args:
        hooks: the settings'.
        operation: what was done.
        hosts: how each fared, as --json tells it.
        code: the exit code.
        error: why there are no more hosts in it, where the run as a whole ended.

    Raises:
        KitError: it failed.
    """
    fared = [
        {
            **{key: one.get(key) for key in ("host", "state", "error", "fix")},
            "changes": [change["title"] for change in _changes(one)],
        }
        for one in hosts
    ]
    how = {"code": code, "error": error or None}
    _run("after", hooks.after, hooks.time_limit, operation, hosts=fared, **how)


def _changes(host: Mapping[str, object]) -> Sequence[Mapping[str, object]]:
    found = host.get("changes")
    return found if isinstance(found, list) else ()


def _run(
    hook: str, command: Sequence[str], limit: int, operation: Operation, **more: object
) -> None:
    if not command:
        return
    name = f"hooks.{hook}"
    event = _masked({"schema": SCHEMA, "hook": hook, **operation.data(), **more})
    with TemporaryFile() as stdin:
        stdin.write(json.dumps(event).encode())
        stdin.seek(0)
        with interruptible():
            code = _ended(name, command, limit, stdin)
    if code is None:
        raise KitError(
            f"{name}: {command[0]} did not end within {limit} s, and was ended",
            "let it be quicker, or raise [hooks] time_limit",
        )
    if code:
        how = f"was ended by signal {-code}" if code < 0 else f"ended with {code}"
        raise KitError(f"{name}: {command[0]} {how}", FIX)


def _masked(value: object) -> object:
    match value:
        case str():
            return mask(value)
        case dict():
            return {key: _masked(one) for key, one in value.items()}
        case list() | tuple():
            return [_masked(one) for one in value]
        case _:
            return value


def _ended(name: str, command: Sequence[str], limit: int, stdin: IO[bytes]) -> int | None:
    """The exit code of a program; None where it took too long, and was ended."""
    try:
        process = subprocess.Popen(
            command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise KitError(
            f"{name}: {command[0]} cannot be run: {error.strerror}",
            "correct [hooks] in the settings, or install the program",
        ) from None

    def show() -> None:
        assert process.stdout
        for line in process.stdout:
            note(f"{name}: {mask(plain(line.decode(errors='replace').rstrip()))}")

    reader = threading.Thread(target=show, daemon=True)
    reader.start()
    try:
        return process.wait(limit)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        reader.join(AFTERWARDS)  # what it left in the background may print for ever
