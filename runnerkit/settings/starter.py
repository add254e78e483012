"""The settings file that a team begins with: commented, to fill in, or of hosts that there are."""

from pathlib import Path

from runnerkit.errors import KitError
from runnerkit.place import CLONE, ROOT, TEMPLATES, image_folders, typed


def write(path: Path) -> str:
    """Write the starter settings and say what to do next.

    Raises:
        KitError: there is a file already, or it cannot be written.
    """
    text = (TEMPLATES / "runnerkit.toml").read_text()
    write_new(path, text if CLONE else typed(text))
    return typed(f"wrote {path}; fill it in, then: ./inv plan --host all{_ready_made()}")


def write_new(path: Path, text: str) -> None:
    """Write a file where there is none.

    Raises:
        KitError: there is one, or it cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise _there(path) from None
    except OSError as error:
        raise KitError(
            f"{path}: {error.strerror}", "run in a folder that you may write to"
        ) from None


def absent(path: Path) -> None:
    """Raise a KitError where there is something: before hosts are asked what it shall say."""
    if path.exists() or path.is_symlink():
        raise _there(path)


def _there(path: Path) -> KitError:
    return KitError(f"{path} is there already", "edit it, or move it away first")


def _ready_made() -> str:
    """Where the kit's own job images are: in a clone everybody sees them."""
    if CLONE:
        return ""
    names = ", ".join(sorted(image_folders()))
    folder = ROOT / "dockerfiles"
    return f"\njob images to name there, or to copy into ./dockerfiles: {folder} ({names})"
