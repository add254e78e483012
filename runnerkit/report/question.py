"""What is asked on a terminal before something goes for ever."""

import sys
from collections.abc import Sequence

from runnerkit.errors import KitError
from runnerkit.machine import terminal
from runnerkit.printable import in_one_line
from runnerkit.report.page import note


def ask(lines: Sequence[str], question: str, answers: Sequence[str]) -> None:
    """Show what goes, and go on only where one of the answers is typed.

    Raises:
        KitError: there is no terminal, or something else was typed.
    """
    if not sys.stdin.isatty():
        raise KitError(
            "a removal is asked for first, and there is no terminal",
            "see what would go by --dry-run, then give --yes",
        )
    with terminal.quiet():
        for line in lines:
            note(in_one_line(line))
        sys.stderr.write(question)
        sys.stderr.flush()
        if sys.stdin.readline().strip() not in answers:
            raise KitError("nothing was removed", f"type {' or '.join(answers)}, or give --yes")
