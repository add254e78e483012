"""A runner's pause, as its note at GitLab tells of it in a line of its own, beside what else stands there."""

import re
from dataclasses import dataclass

LONGEST = 1024  # letters that GitLab keeps of a note
_LINE = re.compile(r"runnerkit paused(?: until (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ))?(?:: (.*))?")


@dataclass(frozen=True)
class Pause:
    """Why, and until when ("" for no end), as GitLab writes times."""

    text: str = ""
    until: str = ""

    @property
    def line(self) -> str:
        """Its line of the note."""
        until, text = self.until and f" until {self.until}", self.text and f": {self.text}"
        return f"runnerkit paused{until}{text}"


def read(note: str) -> Pause | None:
    """The pause of a note; None where it tells of none."""
    found = next(filter(None, map(_LINE.fullmatch, note.split("\n"))), None)
    return Pause(found[2] or "", found[1] or "") if found else None


def without(note: str) -> str:
    """The note as it was before."""
    return "\n".join(line for line in note.split("\n") if not _LINE.fullmatch(line))


def laid_over(note: str, pause: Pause) -> str:
    """The note with this pause, in the place of another one."""
    rest = without(note)
    return f"{rest}\n{pause.line}" if rest else pause.line
