"""The commented settings file that a team fills in."""

from pathlib import Path

from runnerkit.errors import KitError
from runnerkit.place import CLONE, ROOT, TEMPLATES, image_folders, typed


def write(path: Path) -> str:
    """Write the starter settings and say what to do next.

    Raises:
        KitError: there is a file already, or it cannot be written.
    """
    try:
        with path.open("x") as file:
            text = (TEMPLATES / "runnerkit.toml").read_text()
            file.write(text if CLONE else typed(text))
    except FileExistsError:
        raise KitError(f"{path} is there already", "edit it, or move it away first") from None
    except OSError as error:
        raise KitError(
            f"{path}: {error.strerror}", "run in a folder that you may write to"
        ) from None
    return typed(f"wrote {path}; fill it in, then: ./inv plan --host all{_ready_made()}")


def _ready_made() -> str:
    """Where the kit's own job images are: in a clone everybody sees them."""
    if CLONE:
        return ""
    names = ", ".join(sorted(image_folders()))
    folder = ROOT / "dockerfiles"
    return f"\njob images to name there, or to copy into ./dockerfiles: {folder} ({names})"
