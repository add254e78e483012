"""Where things are: what the kit brings, on this machine, and what it keeps on a host.

What a clone has at its top level, an installed kit has in runnerkit/kit, in the same order.
"""

import os
import re
from pathlib import Path

PACKAGE = Path(__file__).parent
CLONE = not (PACKAGE / "kit").is_dir()
ROOT = PACKAGE.parent if CLONE else PACKAGE / "kit"
TEMPLATES = ROOT / "templates"

# On a host. A run of the kit and a scheduled one of prune wait for each other by the first; what a
# cut-off run began goes on without it, and holds the second. In a folder of root's: whoever may read a
# file may lock it.
LOCKS = "/run/runnerkit-locks"
LOCK, WORK = f"{LOCKS}/run", f"{LOCKS}/work"
PATIENCE = 2 * 3600  # seconds to wait for another one, twice what a drain takes by default
PROGRAMS = "/usr/local/lib/runnerkit"
UNITS = "/etc/systemd/system"
# What a bundle brings lies there until it is taken; in a folder of root's.
BUNDLE = "/var/lib/runnerkit/bundle"
# Says that somebody has drained the host: nothing of the kit starts its manager then.
DRAINED = "/var/lib/runnerkit/drained.json"


def state() -> Path:
    """Where the kit keeps what it makes on this machine: in the clone, or in the user's own folder."""
    if CLONE:
        return ROOT
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "runnerkit"


def settings_file() -> Path | None:
    """The settings: RUNNERKIT_SETTINGS, or runnerkit.toml of the working folder or of the clone.

    A RUNNERKIT_SETTINGS that is set and empty leaves the clone's out.
    """
    if named := os.environ.get("RUNNERKIT_SETTINGS"):
        return Path(named)
    for folder in (Path(), ROOT) if named is None else (Path(),):
        if (file := folder / "runnerkit.toml").exists():
            return file
    return None


def dockerfiles() -> list[Path]:
    """What holds the folders of job images, in order: the first that has a name wins.

    RUNNERKIT_DOCKERFILES, like a PATH; or dockerfiles/ beside the settings, then the kit's own.
    """
    if named := os.environ.get("RUNNERKIT_DOCKERFILES"):
        return [Path(one) for one in named.split(os.pathsep)]
    file = settings_file()
    return [(file.parent if file else Path()) / "dockerfiles", ROOT / "dockerfiles"]


def image_folder(name: str) -> Path | None:
    """The folder of a job image; None where it has none."""
    return next((found for one in dockerfiles() if (found := one / name).is_dir()), None)


def image_folders() -> set[str]:
    """The names of the job images that have a folder of their own."""
    return {
        path.name
        for folder in dockerfiles()
        for path in folder.glob("*/")
        if any(path.glob("Dockerfile*"))
    }


def typed(text: str) -> str:
    """A text that says ./inv, with what is typed here in its place: runnerkit, ../kit/inv, …"""
    command = os.environ.get("RUNNERKIT_COMMAND") or "./inv"
    return re.sub(r"(?<![^\s`(])\./inv\b", lambda _: command, text)
