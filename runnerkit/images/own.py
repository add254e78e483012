"""What of a job image's folder is read on this machine: its own files, and no link that leads out."""

from pathlib import Path

from runnerkit.errors import KitError
from runnerkit.settings import owner

READ = ("Dockerfile", "Dockerfile.j2", "Dockerfile.dockerignore", ".dockerignore")


def check(folder: Path) -> None:
    """Raise a KitError where one of the files that say what the image is leads out of its folder, or
    another user may have put it there.
    """
    owner.check(folder, "RUNNERKIT_DOCKERFILES", "RUNNERKIT_SETTINGS")
    for name in READ:
        find(folder, name)


def find(folder: Path, name: str) -> Path | None:
    """A file of the folder; None where there is none of that name.

    Raises:
        KitError: it leads out of the folder, or is a pipe or the like, which might never end.
    """
    file, shown = folder / name, f"dockerfiles/{folder.name}/{name}"
    try:
        there = file.resolve()
        inside, exists, regular = (
            there.is_relative_to(folder.resolve()),
            file.exists() or file.is_symlink(),
            file.is_file(),
        )
    except (OSError, ValueError, RuntimeError):  # a name that none can have, a circle of links
        return None
    if not inside:
        raise KitError(
            f"{shown} leads outside the folder",
            "an image is built from its own folder alone: copy the file into it",
        )
    if exists and not regular:
        raise KitError(f"{shown} is no file", "put a file there, or take it away")
    return file if regular else None
