"""Where things are: what the kit brings, on this machine, and what it keeps on a host."""

import os
from pathlib import Path

PACKAGE = Path(__file__).parent
ROOT = PACKAGE.parent
TEMPLATES = ROOT / "templates"

# On a host. A run of the kit and a scheduled one of prune wait for each other by the first; what a
# cut-off run began goes on without it, and holds the second.
LOCK, WORK = "/run/runnerkit.lock", "/run/runnerkit.work"
PROGRAMS = "/usr/local/lib/runnerkit"
UNITS = "/etc/systemd/system"


def dockerfiles() -> Path:
    """Where the folders of job images are: RUNNERKIT_DOCKERFILES, or dockerfiles/ of the kit."""
    return Path(os.environ.get("RUNNERKIT_DOCKERFILES") or ROOT / "dockerfiles")


def image_folders() -> set[str]:
    """The names of the job images that have a folder of their own."""
    return {path.name for path in dockerfiles().glob("*/") if any(path.glob("Dockerfile*"))}
