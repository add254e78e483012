"""On which hosts a verb failed last time, remembered on this machine for --only-failed."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from runnerkit.errors import KitError
from runnerkit.fleet.operation import Operation
from runnerkit.place import state
from runnerkit.replacing import replacing

Failures = dict[str, dict[str, list[str]]]  # by settings file and verb


def file() -> Path:
    """Where they are kept."""
    return state() / ".runnerkit/last.json"


def last(operation: Operation) -> list[str]:
    """The hosts on which this verb failed last time with these settings.

    Raises:
        KitError: what was remembered cannot be read.
    """
    try:
        return _read().get(_key(operation), {}).get(operation.verb, [])
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is damaged"
        raise KitError(
            f"what failed last time cannot be read from {file()}: {why}",
            "name the hosts by --host, without --only-failed; the file may be removed",
        ) from None


def remember(operation: Operation, hosts: Iterable[str], failed: Iterable[str]) -> None:
    """Remember how a run ended: a host that it was not about stays as it was.

    Args:
        operation: the run.
        hosts: all that it was about.
        failed: those of them that failed, or were not begun.

    Raises:
        OSError: it cannot be written.
    """
    with _locked():
        known: Failures = {}
        with contextlib.suppress(ValueError):  # what is damaged is written anew
            known = _read()
        verbs = known.setdefault(_key(operation), {})
        before = [one for one in verbs.get(operation.verb, []) if one not in {*hosts}]
        verbs[operation.verb] = [*before, *failed]
        with replacing(file()) as new:
            rest = {key: left for key in known if (left := _left(known[key]))}
            new.write_text(json.dumps(rest, indent=2))


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    file().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = os.open(file().parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _read() -> Failures:
    try:
        known = json.loads(file().read_bytes())
    except FileNotFoundError:
        return {}
    if not _fits(known):
        raise ValueError
    return known  # type: ignore[no-any-return]


def _left(verbs: dict[str, list[str]]) -> dict[str, list[str]]:
    return {verb: hosts for verb, hosts in verbs.items() if hosts}


def _fits(known: object) -> bool:
    verbs = [*known.values()] if isinstance(known, dict) else [None]
    lists = [each for one in verbs for each in (one.values() if isinstance(one, dict) else [None])]
    return all(
        isinstance(each, list) and all(isinstance(one, str) for one in each) for each in lists
    )


def _key(operation: Operation) -> str:
    return str(operation.file.resolve()) if operation.file else ""
