"""How the kit fails: one line of what, where and why, one line of what to do next."""

from collections.abc import Iterator
from contextlib import contextmanager

from invoke.exceptions import Exit


class KitError(Exit):
    """A failure that the user can act on.

    An Invoke ``Exit``, so that a task that raises it ends without a traceback.

    Args:
        what: what failed, where and why, in one line.
        fix: what to do next, in one line.
        code: the process's exit code.
    """

    def __init__(self, what: str, fix: str = "", code: int = 1) -> None:
        self.what, self.fix = what, fix
        super().__init__(f"error: {what}" + (f"\n  fix: {fix}" if fix else ""), code)


class NotConverged(KitError):
    """A change was applied and is still needed: trying again would loop for ever."""

    def __init__(self, titles: list[str]) -> None:
        super().__init__(
            f"applied, but the host still does not show it: {'; '.join(titles)}",
            "something else on the host undoes it; look at the daemon's and the manager's logs",
        )


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C ends a task as an error does, with the exit code of an interrupted program."""
    try:
        yield
    except KeyboardInterrupt:
        raise KitError("interrupted", "run it again", 130) from None
