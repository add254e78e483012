"""A bundle being made: its parts are gathered beside it, and the file is there whole or not at all."""

import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from runnerkit.bundle.contents import (
    ALGORITHM,
    HEAD,
    INDEX,
    LAYOUT,
    SIGNATURE,
    SUMS,
    BundledImage,
    Contents,
    Part,
    blob,
    written,
)
from runnerkit.errors import KitError
from runnerkit.images.reference import full
from runnerkit.replacing import replacing

CHUNK = 1 << 20
LAYOUT_TEXT = b'{"imageLayoutVersion": "1.0.0"}'
OCI = "application/vnd.oci.image"
MANIFEST = f"{OCI}.manifest.v1+json"
Signer = Callable[[bytes], bytes]


class Depot:
    """A folder in which a bundle's parts gather; `parts` are those that are there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parts: dict[str, Part] = {}

    def add(self, name: str, content: Iterable[bytes]) -> Part:
        """Put a part in, as it comes."""
        known, size, number = hashlib.sha256(), 0, len(self.parts)
        new = self.folder / f"new-{number}"
        with new.open("wb") as file:
            for data in content:
                known.update(data)
                size += len(data)
                file.write(data)
        return self.take(name, new, ALGORITHM + known.hexdigest(), size)

    def take(self, name: str, file: Path, digest: str, size: int) -> Part:
        """Put a file in that is there already; `name` may be "" for a blob."""
        name = name or blob(digest)
        self.parts[name] = Part(size, digest)
        file.replace(self.file(self.parts[name]))
        return self.parts[name]

    def file(self, part: Part) -> Path:
        """Where a part is."""
        return self.folder / part.digest.removeprefix(ALGORITHM)

    def read(self, name: str) -> Iterator[bytes]:
        """The bytes of a part."""
        with self.file(self.parts[name]).open("rb") as file:
            while data := file.read(CHUNK):
                yield data


@contextmanager
def gathering(file: Path) -> Iterator[Depot]:
    """A depot beside the file that is to be, where as much room is needed.

    Raises:
        KitError: the folder cannot be written to, or is full.
    """
    with (
        reported(file),
        tempfile.TemporaryDirectory(prefix=f".{file.name}.", dir=file.parent) as folder,
    ):
        yield Depot(Path(folder))


@contextmanager
def reported(file: Path) -> Iterator[None]:
    """Tell in words why a file cannot be made.

    Raises:
        KitError: the folder cannot be written to, or is full.
    """
    if file.is_dir():
        raise KitError(f"{file} is a folder", "name the file that is to be made")
    try:
        yield
    except OSError as error:
        what = f"{file} cannot be made: {error.strerror or error}"
        raise KitError(what, "choose a folder that is there, is yours and has room") from None


def write(
    file: Path,
    contents: Contents,
    read: Callable[[str], Iterator[bytes]],
    sign: Signer | None = None,
) -> int:
    """Write a bundle: the list first, so that it can be read without the rest.

    Args:
        file: the file, which is replaced once the new one is whole.
        contents: the list.
        read: gives the bytes of a part.
        sign: makes the signature of the list.

    Returns:
        Its bytes.
    """
    text = written(contents)
    sums = "".join(
        f"{part.digest.removeprefix(ALGORITHM)}  {name}\n"
        for name, part in contents.parts.items()
        if not part.left_out
    )
    heads = {HEAD: text, **({SIGNATURE: sign(text)} if sign else {}), SUMS: sums.encode()}
    with replacing(file) as new:
        with tarfile.open(new, "w", format=tarfile.PAX_FORMAT) as archive:
            for name, data in heads.items():
                archive.addfile(_member(name, len(data)), io.BytesIO(data))
            for name, part in contents.parts.items():
                if not part.left_out:
                    archive.addfile(_member(name, part.size), Pieces(read(name)))
        return new.stat().st_size


def layout(depot: Depot, images: Iterable[BundledImage]) -> None:
    """Put in what makes the blobs an image layout, for other programs than this one."""
    depot.add(LAYOUT, [LAYOUT_TEXT])
    depot.add(INDEX, [json.dumps(index_of(images, depot.parts)).encode()])


def index_of(images: Iterable[BundledImage], parts: Mapping[str, Part]) -> dict[str, object]:
    """The index of an image layout, by which engines give them their names."""
    manifests = [
        {
            "mediaType": MANIFEST,
            "digest": image.manifest,
            "size": parts[blob(image.manifest)].size,
            "annotations": {
                "io.containerd.image.name": full(name),
                "org.opencontainers.image.ref.name": name,
            },
        }
        for image in images
        for name in image.names
    ]
    return {"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": manifests}


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    return member


class Pieces(io.RawIOBase):
    """What comes in pieces, as tarfile reads it."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces, self._rest = pieces, bytearray()

    def read(self, size: int = -1, /) -> bytes:
        while len(self._rest) < size and (data := next(self._pieces, b"")):
            self._rest += data
        found = bytes(self._rest[:size])
        del self._rest[:size]
        return found
