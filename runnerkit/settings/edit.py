"""One key of the settings file, changed as a person would: all else stays as it is written."""

from pathlib import Path

from runnerkit.errors import KitError, text_of
from runnerkit.place import settings_file
from runnerkit.replacing import replacing
from runnerkit.settings.load import load


def file() -> Path:
    """The settings file.

    Raises:
        KitError: there is none.
    """
    if not (found := settings_file()):
        raise KitError(
            "--write: there is no settings file", "./inv init writes one; or leave --write out"
        )
    return found


def set_key(path: Path, section: str, key: str, value: str | tuple[str, ...]) -> None:
    """Have the file say `value` there; it is written whole or not at all.

    Raises:
        KitError: it cannot be written, or would say something else.
    """
    import tomlkit

    plain = value if isinstance(value, str) else list(value)
    line = tomlkit.dumps({key: plain}).strip()
    fix = f"write {line} into its [{section}] by hand"
    document = tomlkit.parse(text_of(path, fix))
    if section not in document:
        document[section] = tomlkit.table()
    document[section][key] = plain
    path = path.resolve()  # a link stays one
    try:
        with replacing(path) as new:
            new.write_bytes(document.as_string().encode())
            new.chmod(path.stat().st_mode & 0o7777)
            if getattr(getattr(load(new), section), key) != value:
                raise KitError(f"{path}: [{section}] {key} could not be changed", fix)
    except OSError as error:
        raise KitError(f"{path}: {error.strerror}", fix) from None
