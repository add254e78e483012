"""Where the settings say that a runner's token is kept: it is to have the new one."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from runnerkit.fleet.tokens.turns import Turn
from runnerkit.replacing import replacing
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
    try:
        with replacing(file) as new:
            new.write_text(f"{token.reveal()}\n")
    except OSError as error:
        return str(error.strerror)
    return ""
