"""What one bundle has and an older one has not, as a bundle for hosts that were set up from that."""

from pathlib import Path

from msgspec.structs import replace

from runnerkit.bundle import writing
from runnerkit.bundle.contents import Contents
from runnerkit.bundle.reading import Bundle
from runnerkit.errors import KitError


def contents(old: Bundle, new: Bundle) -> Contents:
    """The list of the difference: all of the new one's parts, and which of them only the old one has.

    Raises:
        KitError: they are for hosts of different processors.
    """
    one, other = old.contents, new.contents
    if one.architecture != other.architecture:
        what = f"{old.file} is for {one.architecture}, {new.file} for {other.architecture}"
        raise KitError(what, "name two bundles for the same hosts")
    known = {part.digest for part in one.parts.values()}
    parts = {
        name: replace(part, left_out=part.left_out or part.digest in known)
        for name, part in other.parts.items()
    }
    return replace(other, parts=parts, base=old.digest, former=one.images)


def write(
    old: Bundle, new: Bundle, file: Path, sign: writing.Signer | None = None
) -> tuple[Contents, int]:
    """Write the difference, and tell its list and bytes."""
    found = contents(old, new)
    return found, writing.write(file, found, new.read, sign)
