"""Making room on a host: the script that does it, and what it says."""

import re
from dataclasses import dataclass

from runnerkit.files import previous
from runnerkit.place import LOCK, LOCKS, PATIENCE, WORK
from runnerkit.plan import Hint
from runnerkit.templates import render
from runnerkit.want import Want

ITEM = re.compile(r"(removed|would remove) (volume|image|build-cache) (.+) (\d+)")
DISK = re.compile(r"disk: (\d+)% -> (\d+)%")
FREED = re.compile(r"freed (\d+)")
HINTS = (
    Hint("docker does not answer", "./inv bootstrap --host HOST sets Docker up"),
    Hint("", "what it said tells; what was removed until then stays removed"),
)


@dataclass(frozen=True)
class Item:
    """Something that went or, in a dry run, would go; `kind` is volume, image or build-cache.

    `bytes` is what df showed to be freed. In a dry run it is the size, which other images may share.
    """

    kind: str
    name: str
    bytes: int


@dataclass(frozen=True)
class Pruned:
    """What one run did. `before` and `after` are percent of the disk in use."""

    removed: tuple[Item, ...] = ()
    pending: tuple[Item, ...] = ()
    before: int = 0
    after: int = 0
    freed: int = 0
    notes: tuple[str, ...] = ()


def script(want: Want, force: bool = False, dry: bool = False, scheduled: bool = False) -> str:
    """The script that makes room.

    Args:
        want: keep, watermarks and ages, and which images the host needs.
        force: remove all that may go, however much of the disk is free.
        dry: only say what would go.
        scheduled: take the locks that a run of the kit holds already.
    """
    named = [want.manager.helper_image, want.docker.registry_image, previous.tag(want)]
    named += [runner.image for runner in want.runners]
    named += [re.sub(r"\*$", "$", image) for image in want.prune.images]  # as config.toml has one
    return render(
        "prune.sh.j2",
        want=want,
        names=[name for name in dict.fromkeys(named) if name],
        force="yes" if force else "no",
        dry="yes" if dry else "no",
        scheduled=scheduled,
        lock=LOCK,
        work=WORK,
        locks=LOCKS,
        previous=previous.PATH,
        patience=PATIENCE,
    )


def parse(text: str) -> Pruned:
    """What the script said; a line that is no fact is a note."""
    items: dict[str, list[Item]] = {"removed": [], "would remove": []}
    before = after = freed = 0
    notes = []
    for line in text.split("\n"):  # no other break makes a fact of a note
        if item := ITEM.fullmatch(line):
            items[item[1]].append(Item(item[2], item[3], int(item[4])))
        elif disk := DISK.fullmatch(line):
            before, after = int(disk[1]), int(disk[2])
        elif total := FREED.fullmatch(line):
            freed = int(total[1])
        elif line.strip():
            notes.append(line)
    return Pruned(
        tuple(items["removed"]), tuple(items["would remove"]), before, after, freed, tuple(notes)
    )
