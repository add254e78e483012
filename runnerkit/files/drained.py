"""What says, on the host, that somebody has drained it: its manager stays as it is until it is resumed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runnerkit.facts import Facts
from runnerkit.place import DRAINED
from runnerkit.printable import in_one_line

PATH = DRAINED
UNTOLD = "somebody"  # the mark holds, whatever became of its words
LONGEST = 100  # letters of a word


@dataclass(frozen=True)
class Drained:
    """Who drained the host, and since when by its clock; `process` is the start of the manager's process
    that is to end after its jobs, as Docker writes it ("" where it has not been told yet)."""

    by: str
    since: str
    process: str = ""

    def ends(self, container: Mapping[str, Any]) -> bool:
        """Whether what runs in a container is that process."""
        return bool(self.process) and self.process == container["State"].get("StartedAt")


def parsed(have: Facts) -> Drained | None:
    """The host's mark; None where nobody has drained it."""
    if (file := have.files.get(PATH)) is None:
        return None
    try:
        data = json.loads(file.data)
        words = [
            in_one_line(str(data.get(key) or ""))[:LONGEST] for key in ("by", "since", "process")
        ]
    except (ValueError, AttributeError, RecursionError):
        words = ["", "", ""]
    return Drained(words[0] or UNTOLD, words[1] or "a time that it does not tell", words[2])
