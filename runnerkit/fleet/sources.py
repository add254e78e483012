"""Where the settings say that a runner's token is kept: it is to have the new one."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from runnerkit.fleet.turns import Turn
from runnerkit.settings.secrets import Secret


def left(turns: Iterable[Turn], write: bool) -> Iterator[tuple[str, str, str]]:
    """What is left to do there: where, what, and how.

    Args:
        turns: the runners, with their new tokens.
        write: put it into a source that is a file.
    """
    for turn in turns:
        source = turn.runner.spec.token
        if not source or not turn.token or turn.runner.token in (None, turn.token):
            continue
        host, one = next(iter(turn.hosts.items()))
        what = f"{source} still gives the former token of runner {turn.runner.key}"
        how = f"the new one is the token of [[runners]] {one.name} in config.toml on {host}"
        if source.file and write:
            if why := _written(Path(source.file).expanduser(), turn.token):
                yield "this machine", f"{what}: {why}", f"make it writable; {how}"
        elif source.file:
            yield "this machine", what, f"--write puts the new one there; {how}"
        else:
            yield "this machine", what, how


def _written(file: Path, token: Secret) -> str:
    """Write it whole or not at all, for its owner alone; why not, where it cannot be."""
    file = file.resolve()
    if not file.is_file():
        return "it is no file"
    name = ""
    try:
        number, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # 0600
        with os.fdopen(number, "w") as new:
            new.write(f"{token.reveal()}\n")
            new.flush()
            os.fsync(number)
        Path(name).replace(file)
    except OSError as error:
        with suppress(OSError):
            Path(name).unlink()
        return str(error.strerror)
    return ""
