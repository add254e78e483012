"""runnerkit.toml: found, read, and checked whole before any host is touched."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from runnerkit.errors import KitError, nearest
from runnerkit.place import image_folders
from runnerkit.settings import autoscaler
from runnerkit.settings.check import mistakes
from runnerkit.settings.model import Settings


def load(path: Path | None = None, command_line: dict[str, Any] | None = None) -> Settings:
    """Read and check the settings.

    Args:
        path: the file; None for a run without one.
        command_line: what was typed there, in the file's own shape; it wins.

    Raises:
        KitError: every mistake at once, each with its path.
    """
    data = _read(path) if path else {}
    _lay_over(data, command_line or {})
    where = str(path) if path else "the command line"
    found = list(mistakes(data, Settings)) or [*_dangling(data), *autoscaler.mistakes(data)]
    if found:
        raise KitError(
            f"{where}: {len(found)} mistake{'s' if len(found) > 1 else ''}\n    "
            + "\n    ".join(found),
            "correct these and run again; no host was touched",
        )
    return msgspec.convert(data, Settings)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise KitError(f"{path}: no such file", "./inv init writes a settings file") from None
    except OSError as error:
        raise KitError(f"{path}: {error.strerror}", "let it be a file that you may read") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KitError(f"{path} is not valid TOML: {error}", "correct that line") from None


def _lay_over(data: dict[str, Any], values: dict[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(data.get(key), dict):
            _lay_over(data[key], value)
        else:
            data[key] = value


def _dangling(data: dict[str, Any]) -> Iterator[str]:
    """Names that name nothing: a host's runners, and a runner's image that is nearly one of ours."""
    folders = image_folders()
    runners, images = data.get("runners", {}), folders | set(data.get("images", {}))
    for name, body in data.get("images", {}).items():
        if name not in folders and not body.get("base"):
            yield f"images.{name}.base: missing, and there is no folder dockerfiles/{name}"
    users = {f"hosts.{host}": body for host, body in data.get("hosts", {}).items()}
    for path, body in {**users, "golden": data.get("golden", {})}.items():
        for name in body.get("runners", ()):
            if name not in runners:
                yield f"{path}.runners: no runner {name!r}{nearest(name, runners)}"
    for name, body in runners.items():
        image = body.get("image", "")
        bare = image and not set(image) & set(":/.@")
        if bare and image not in images and (hint := nearest(image, images)):
            yield f"runners.{name}.image: no job image {image!r}{hint}"
