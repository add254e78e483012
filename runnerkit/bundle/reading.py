"""A bundle that is there: its list from its head alone, its parts by where they are in the file."""

import hashlib
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

from runnerkit.bundle.contents import ALGORITHM, HEAD, SIGNATURE, SUMS, Contents, parsed
from runnerkit.errors import KitError

CHUNK = 1 << 20
LARGEST = 64 << 20  # bytes of the list
COPY = "copy or make it anew: it is damaged"


@dataclass(frozen=True)
class Bundle:
    """A file and its list; `text` is the list as it was signed, `signature` "" where there is none."""

    file: Path
    contents: Contents
    text: bytes
    signature: bytes = b""

    @property
    def digest(self) -> str:
        """What stands for the whole bundle: the digest of its list."""
        return ALGORITHM + hashlib.sha256(self.text).hexdigest()

    def _places(self) -> dict[str, tuple[int, int]]:
        return _places(self.file, self.file.stat().st_mtime_ns)

    def read(self, name: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes of a part.

        Args:
            name: the member.
            start: the first byte that is wanted.
            end: the byte after the last one; all if not given.

        Raises:
            KitError: it is not in the file, or cut off.
        """
        size = self.contents.parts[name].size
        left = (size if end is None else end) - start
        place = self._places().get(name)
        if place is None or place[1] != size:
            raise KitError(f"{self.file}: {name} is missing or cut off", COPY)
        with _opened(self.file) as file:
            file.seek(place[0] + start)
            while left:
                if not (data := file.read(min(CHUNK, left))):
                    raise KitError(f"{self.file} ends within {name}", COPY)
                left -= len(data)
                yield data

    def verify(self, tell: Callable[[int, int], None] = lambda done, total: None) -> int:
        """Read all of it, and compare it with the list.

        Args:
            tell: told how many bytes of how many are read.

        Returns:
            How many parts there are.

        Raises:
            KitError: which part is not what the list says.
        """
        own = {name: one for name, one in self.contents.parts.items() if not one.left_out}
        total, done = sum(part.size for part in own.values()), 0
        for name, part in own.items():
            known = hashlib.sha256()
            for data in self.read(name):
                known.update(data)
                done += len(data)
                tell(done, total)
            if ALGORITHM + known.hexdigest() != part.digest:
                raise KitError(f"{self.file}: {name} is not what the list says", COPY)
        if others := {*self._places()} - {*own, HEAD, SIGNATURE, SUMS}:
            raise KitError(f"{self.file} has {sorted(others)[0]}, which is not in its list", COPY)
        return len(own)


def opened(file: Path) -> Bundle:
    """Read the head of a bundle.

    Raises:
        KitError: there is none, or it cannot be read.
    """
    with _opened(file) as source:
        try:
            with tarfile.open(fileobj=source, mode="r:") as archive:
                text = _member(archive, HEAD)
                signature = _member(archive, SIGNATURE) if text else b""
        except tarfile.TarError as error:
            raise KitError(
                f"{file} is no bundle: {error}", "name one of ./inv bundle.make"
            ) from None
    if not text:
        raise KitError(
            f"{file} is no bundle: it does not begin with {HEAD}", "name one of ./inv bundle.make"
        )
    return Bundle(file, parsed(text, str(file)), text, signature)


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    """What the next member holds, if it has that name; nothing is read for another."""
    member = archive.next()
    if member is None or member.name != name or not member.isfile() or member.size > LARGEST:
        return b""
    content = archive.extractfile(member)
    return content.read() if content else b""


@cache
def _places(file: Path, modified: int) -> dict[str, tuple[int, int]]:
    """Where each member begins, and its size: the headers alone are read."""
    with _opened(file) as source:
        try:
            with tarfile.open(fileobj=source, mode="r:") as archive:
                return {one.name: (one.offset_data, one.size) for one in archive if one.isfile()}
        except tarfile.TarError as error:
            raise KitError(f"{file} is cut off or damaged: {error}", COPY) from None


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    try:
        with file.open("rb") as source:
            yield source
    except OSError as error:
        raise KitError(f"{file}: {error.strerror}", "name a file of ./inv bundle.make") from None
