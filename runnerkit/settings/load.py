"""runnerkit.toml: found, read, and checked whole before any host is touched."""

import tomllib
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

import msgspec

from runnerkit.errors import KitError, nearest
from runnerkit.images import reference
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
    except OSError as error:
        raise KitError(f"{path}: {error.strerror}", "./inv init writes a settings file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KitError(f"{path} is not valid TOML: {error}", "correct that line") from None


def _lay_over(data: dict[str, Any], values: dict[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(data.get(key), dict):
            _lay_over(data[key], value)
        else:
            data[key] = value


def _dangling(data: dict[str, Any]) -> Iterator[str]:
    """Names that name nothing: a host's runners, and an image of ours without a definition."""
    folders, runners = image_folders(), data.get("runners", {})
    for name, body in data.get("images", {}).items():
        if name not in folders and not body.get("base"):
            yield f"images.{name}.base: missing, and there is no folder dockerfiles/{name}"
    users = {f"hosts.{host}": body for host, body in data.get("hosts", {}).items()}
    for path, body in {**users, "golden": data.get("golden", {})}.items():
        for name in body.get("runners", ()):
            if name not in runners:
                yield f"{path}.runners: no runner {name!r}{nearest(name, runners)}"
    yield from _names(data)
    yield from _images(data, folders | data.get("images", {}).keys())


def _names(data: dict[str, Any]) -> Iterator[str]:
    """Runners of one name on one host: by their names they are told apart there."""
    runners = data.get("runners", {})
    users = [body.get("runners", runners) for body in data.get("hosts", {}).values()] or [runners]
    found: dict[str, None] = {}
    for user in users:
        known: dict[str, str] = {}
        for key in dict.fromkeys(user):
            if (name := runners.get(key, {}).get("name")) and known.setdefault(name, key) != key:
                found[
                    f"runners.{key}.name: {name!r} is the name of runners.{known[name]} too, on one host"
                ] = None
    yield from found


def _images(data: dict[str, Any], ours: Set[str]) -> Iterator[str]:
    """What stands for an image and is no name of one; what has a variable in it is filled in later."""
    found = {
        f"runners.{key}.image": body.get("image") for key, body in data.get("runners", {}).items()
    }
    found |= {
        f"images.{key}.base": body.get("base") for key, body in data.get("images", {}).items()
    }
    manager = data.get("manager", {})
    found |= {f"manager.{key}": manager.get(key) for key in ("image", "helper_image")}
    for path, name in found.items():
        if name and "$" not in name and name not in ours and not reference.parse(name):
            lower = name.lower()
            hint = f" (did you mean {lower!r}?)" if reference.parse(lower) else ""
            yield f"{path}: {name!r} is no name of an image{hint}"
