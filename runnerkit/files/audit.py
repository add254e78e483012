"""The audit trail of a host: a line of JSON for each change, written by the host itself.

When it was, which login, from where and how it ended, the host says. What was changed, by which operator
and with which settings, it is told: whoever is root there can tell it anything.
"""

import json
import shlex
from collections.abc import Iterable

from runnerkit.redact import mask
from runnerkit.templates import render

FOLDER = "/var/lib/runnerkit"
FILE = f"{FOLDER}/audit.log"
LARGEST = 1 << 20  # bytes, from which on it begins anew; the one before is kept as FILE.1
UNWRITTEN = "the audit trail cannot be written"
LETTERS = 300  # of a title
Line = tuple[int, str]  # an exit code, and the title of a change


def recorded(script: str, title: str, known: dict[str, str]) -> str:
    """The script, and the line of it when it has ended; its exit code stays.

    Args:
        script: what is run.
        title: of the change.
        known: what the operation says of itself.
    """
    words = f'audit "$code" {_quoted(title, known)}'
    return f"{_begin()}{script}\ncode=$?\n{words}\nexit $code"


def lines(made: Iterable[Line], known: dict[str, str]) -> str:
    """The script that writes of changes that were made from elsewhere."""
    words = [f"audit {code} {_quoted(title, known)}" for code, title in made]
    return "\n".join([_begin(), *words])


def _begin() -> str:
    """Whence the run comes is the script's first argument, known before sudo."""
    text = render("audit.sh.j2", folder=FOLDER, file=FILE, largest=LARGEST, unwritten=UNWRITTEN)
    return f"origin=${{1:-}}\n{text}"


def _quoted(title: str, known: dict[str, str]) -> str:
    """As the rest of a JSON object, in ASCII and one line whatever is in it."""
    title = mask(title)
    cut = title if len(title) <= LETTERS else f"{title[:LETTERS]}…"
    return shlex.quote(json.dumps({"change": cut, **known})[1:-1])
