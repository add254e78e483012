"""The commented settings file that a team fills in."""

from pathlib import Path

from runnerkit.errors import KitError
from runnerkit.place import ROOT


def write(path: Path) -> str:
    """Write the starter settings and say what to do next.

    Raises:
        KitError: there is a file already, or it cannot be written.
    """
    try:
        with path.open("x") as file:
            file.write((ROOT / "templates/runnerkit.toml").read_text())
    except FileExistsError:
        raise KitError(f"{path} is there already", "edit it, or move it away first") from None
    except OSError as error:
        raise KitError(
            f"{path}: {error.strerror}", "run in a folder that you may write to"
        ) from None
    return f"wrote {path}; fill it in, then: ./inv plan --host all"
