"""How the kit fails: one line of what, where and why, one line of what to do next."""

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from invoke.exceptions import Exit

from runnerkit.place import typed
from runnerkit.printable import counted, hanging

INTERRUPTED = 130  # the exit code of a program that Ctrl-C has ended


class KitError(Exit):
    """A failure that the user can act on.

    An Invoke ``Exit``, so that a task that raises it ends without a traceback.

    Args:
        what: what failed, where and why, in one line.
        fix: what to do next, in one line; ./inv is said as the user types it.
        code: the process's exit code.
    """

    def __init__(self, what: str, fix: str = "", code: int = 1) -> None:
        self.what, self.fix = typed(what), typed(fix)
        advice = f"\n  fix: {hanging(self.fix)}" if fix else ""
        super().__init__(f"error: {hanging(self.what)}{advice}", code)

    def __str__(self) -> str:
        return str(self.message)

    def data(self) -> dict[str, object]:
        """The same for programs."""
        return {"error": self.what, "fix": self.fix or None}


class Mistakes(KitError):
    """What is wrong in a settings file, all of it."""

    def __init__(self, where: str, mistakes: list[str]) -> None:
        self.mistakes = mistakes
        lines = "\n    ".join([f"{where}: {counted(len(mistakes), 'mistake')}", *mistakes])
        super().__init__(lines, "correct these and run again; no host was touched")

    def data(self) -> dict[str, object]:
        return {**super().data(), "mistakes": self.mistakes}


class NotConverged(KitError):
    """A change was applied and is still needed: trying again would loop for ever."""

    def __init__(self, titles: list[str]) -> None:
        super().__init__(
            f"applied, but the host still does not show it: {'; '.join(titles)}",
            "something else on the host undoes it; look at the daemon's and the manager's logs",
        )


def nearest(name: str, names: Iterable[str], cutoff: float = 0.6) -> str:
    """`` (did you mean 'x'?)``, or nothing where no name is near; `cutoff` is 1 for the same."""
    near = difflib.get_close_matches(name, list(names), n=1, cutoff=cutoff)
    return f" (did you mean {near[0]!r}?)" if near else ""


def text_of(file: Path, fix: str) -> str:
    """A file's text.

    Raises:
        KitError: it cannot be read, or is none; with `fix`.
    """
    try:
        return file.read_bytes().decode()  # its line ends are its own
    except OSError as error:
        raise KitError(f"{file}: {error.strerror}", fix) from None
    except UnicodeDecodeError as error:
        raise KitError(f"{file} is not UTF-8 text: {error.reason} at {error.start}", fix) from None


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C ends a task as an error does, with the exit code of an interrupted program."""
    try:
        yield
    except KeyboardInterrupt:
        raise KitError("interrupted", "run it again", INTERRUPTED) from None
