"""Whose the settings are: what another user of this machine may have put in one's way is not obeyed."""

import os
from pathlib import Path

from runnerkit.errors import KitError
from runnerkit.place import ROOT

WRITABLE = 0o022  # by the group or by all


def check(path: Path, *names: str) -> None:
    """Raise a KitError where a file that was found, not named, is another user's.

    As git does of repositories and ssh of keys; but that user's own folder is left to them, if nobody
    else can write to it or to one above it: a container often runs as root on a user's files. What
    lies in the kit itself is as good as the kit.

    Args:
        path: what was found.
        names: the variables by which one names it instead, the first first.
    """
    if any(os.environ.get(name) for name in names) or path.resolve().is_relative_to(ROOT):
        return
    for place in dict.fromkeys((path.absolute(), path.resolve())):  # a link, and where it leads
        try:
            owner = place.lstat().st_uid
            shared = _shared(place)
        except OSError:
            return  # it is told by whoever reads it
        if shared and owner not in _trusted():
            raise KitError(
                f"{place} belongs to another user ({owner}), in a folder that others can write to "
                f"({shared}): it may say what is run here and on all hosts",
                f"move it to a folder of yours; or, if you trust them, name where it is: {names[0]}=…",
            )


def _shared(place: Path) -> Path | None:
    """The folder in which others may have put it, or a folder that it is in."""
    for folder in place.parents:
        status = folder.stat()
        if status.st_mode & WRITABLE:
            return folder
        if status.st_uid in _trusted():
            return None  # whatever is above: nobody puts anything in here
    return None


def _trusted() -> set[int]:
    """Root, who runs this, and who became root for it."""
    me = os.geteuid()
    before = os.environ.get("SUDO_UID", "")
    return {0, me, *([int(before)] if me == 0 and before.isdecimal() else [])}
