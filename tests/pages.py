"""The pages for people, and the commands that they show."""

import re
from dataclasses import dataclass
from pathlib import Path

from runnerkit.place import ROOT

PAGES = tuple(
    sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("sandbox/**/*.md")])
)
_BLOCK = re.compile(r"(?:<!-- test: (\S+) -->\n)?^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """Commands as a page shows them, and the test that runs them, or the like of them."""

    page: str
    test: str
    text: str

    @property
    def commands(self) -> list[str]:
        return [line.strip() for line in self.text.splitlines() if line.strip()]


def blocks(page: Path) -> list[Block]:
    """All blocks of commands of a page."""
    name = str(page.relative_to(ROOT))
    return [Block(name, test, text) for test, text in _BLOCK.findall(page.read_text())]


def commands(test: str) -> list[str]:
    """What the pages leave to a test to run: each command once, in order."""
    found = [each for page in PAGES for each in blocks(page) if each.test == test]
    return list(dict.fromkeys(line for each in found for line in each.commands))
