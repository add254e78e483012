"""How work on a host ends badly, in words."""

import contextlib
import re
from collections.abc import Iterator

from invoke.exceptions import ThreadException

from runnerkit.errors import KitError
from runnerkit.machine.streams import TooMuch
from runnerkit.redact import plain

AGAIN = "run again: it goes on from there"
KILLED = "see in the host's dmesg whether it ran out of memory, then run again"
BACK = f"see that the host is up and its network holds, then {AGAIN}"


class Failed(KitError):
    """A script on the host ended with another exit code than 0."""

    def __init__(self, code: int, stderr: str) -> None:
        self.exited, self.stderr = code, stderr
        super().__init__(self.why())

    def why(self, pattern: str = "") -> str:
        """The line that holds the pattern; the last three where there is none.

        Where a program marks its errors, its warnings and farewells do not hide them.
        """
        lines = [line.strip() for line in plain(self.stderr).splitlines() if line.strip()]
        marked = [line for line in lines if re.search(r"\b(ERROR|FATAL|PANIC)\b", line)]
        cause = [line for line in (*marked, *lines) if pattern and re.search(pattern, line)][:1]
        why = cause or (marked or lines)[-3:] or ["no word of why"]
        return f"exit code {self.exited}: {' | '.join(why)}"


class ScriptFailed(KitError):
    """A change's script ended with another exit code than 0."""

    def __init__(self, exited: int, what: str, fix: str) -> None:
        super().__init__(what, fix)
        self.exited = exited


@contextlib.contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn what SSH and the network raise into errors that say what to do."""
    try:
        yield
    except KitError:
        raise
    except ThreadException as error:
        for one in error.exceptions:
            if isinstance(one.value, TooMuch):
                raise KitError(f"{where}: {one.value.what}", one.value.fix) from None
        raise KitError(f"{where}: the connection broke", BACK) from None
    except Exception as error:
        from runnerkit.machine.ssh import errors

        if (known := errors.explain(where, error)) is None:
            raise
        raise known from None
