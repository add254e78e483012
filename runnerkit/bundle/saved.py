"""What `docker save` writes, whichever engine and store, made into blobs of an image layout.

All of them write manifest.json (moby, image/tarexport/save.go; containerd, images/archive/exporter.go):
it tells which member is an image's configuration and which are its layers, by whatever names.
"""

import gzip
import hashlib
import json
import os
import posixpath
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runnerkit.bundle.contents import ALGORITHM, BundledImage, BundledLayer, blob
from runnerkit.bundle.writing import CHUNK, MANIFEST, OCI, Depot, Pieces
from runnerkit.errors import KitError
from runnerkit.images.reference import normal

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
LEVEL = 6  # what registries' own layers are packed by
DAMAGED = "see what docker save writes there of it: it must be Docker's own"


@dataclass(frozen=True)
class Wanted:
    """An image that is to be bundled, as `BundledImage` has it."""

    names: tuple[str, ...]
    content: str
    job: str = ""
    inputs: str = ""


def gather(stream: Iterator[bytes], wanted: Sequence[Wanted], depot: Depot) -> list[BundledImage]:
    """Put the images of a stream into a depot, each layer once.

    Args:
        stream: of one `docker save` of all of them.
        wanted: the images.
        depot: where they go.

    Raises:
        KitError: an image is not in it, or not whole.
    """
    try:
        files = dict(_members(stream, depot.folder))
        entries = json.loads(files["manifest.json"].read_bytes())
        found = [_entry(entries, one) for one in wanted]
        layers = _layers(files, found, depot)
        return [
            _image(files, layers, entry, one, depot)
            for entry, one in zip(found, wanted, strict=True)
        ]
    except (tarfile.TarError, ValueError, LookupError, TypeError, EOFError) as error:
        raise KitError(f"what the engine saved cannot be read: {error}", DAMAGED) from None


def _members(stream: Iterator[bytes], folder: Path) -> Iterator[tuple[str, Path]]:
    """The files of the stream as they are put aside, links among them."""
    found: dict[str, Path] = {}
    links: dict[str, str] = {}
    with tarfile.open(fileobj=Pieces(stream), mode="r|", bufsize=CHUNK) as archive:
        for number, member in enumerate(archive):
            name = posixpath.normpath(member.name)
            if member.issym():
                links[name] = posixpath.normpath(
                    posixpath.join(posixpath.dirname(name), member.linkname)
                )
            elif member.islnk():
                links[name] = posixpath.normpath(member.linkname)
            elif content := archive.extractfile(member) if member.isfile() else None:
                found[name] = folder / f"saved-{number}"
                with found[name].open("wb") as file:
                    while data := content.read(CHUNK):
                        file.write(data)
    for name, target in links.items():
        if target in found:
            found[name] = found[target]
    yield from found.items()


def _entry(entries: list[dict[str, Any]], wanted: Wanted) -> dict[str, Any]:
    for entry in entries:
        if {normal(name) for name in entry.get("RepoTags") or ()} & {*map(normal, wanted.names)}:
            return entry
    raise KitError(f"the engine did not save {wanted.names[0]}", DAMAGED)


def _layers(
    files: Mapping[str, Path], entries: Iterable[dict[str, Any]], depot: Depot
) -> dict[str, BundledLayer]:
    """Every layer, by its digest unpacked."""
    places: dict[str, Path] = {}
    for entry in entries:
        ids = json.loads(files[entry["Config"]].read_bytes())["rootfs"]["diff_ids"]
        pairs = zip(ids, entry["Layers"], strict=True)
        places |= {diff_id: files[name] for diff_id, name in pairs if diff_id not in places}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        packed = pool.map(_packed, places, places.values())
        found = {}
        for (diff_id, file), (plain, digest, size) in zip(places.items(), packed, strict=True):
            depot.take("", file, digest, size)
            found[diff_id] = BundledLayer(diff_id, plain, digest)
    return found


def _packed(diff_id: str, file: Path) -> tuple[int, str, int]:
    """Pack a layer where it is not: its bytes unpacked, and its digest and bytes as it is packed.

    It must be what the image's configuration says.
    """
    unpacked, packed, plain_size = hashlib.sha256(), hashlib.sha256(), 0
    with file.open("rb") as source:
        magic = source.read(4)
        source.seek(0)
        if magic == ZSTD:
            what = f"the layer {diff_id} is packed by zstd, which engines before 23 cannot read"
            raise KitError(what, "build that image with compression=gzip, or by the classic store")
        if magic[:2] == GZIP:
            with gzip.GzipFile(fileobj=source) as plain:
                while data := plain.read(CHUNK):
                    unpacked.update(data)
                    plain_size += len(data)
        else:
            new = file.with_suffix(".gz")
            with new.open("wb") as target, gzip.GzipFile("", "wb", LEVEL, target, 0) as packer:
                while data := source.read(CHUNK):
                    unpacked.update(data)
                    plain_size += len(data)
                    packer.write(data)
            new.replace(file)
    with file.open("rb") as source:
        while data := source.read(CHUNK):
            packed.update(data)
    if ALGORITHM + unpacked.hexdigest() != diff_id:
        raise KitError(f"the engine did not save the layer {diff_id} whole", DAMAGED)
    return plain_size, ALGORITHM + packed.hexdigest(), file.stat().st_size


def _image(
    files: Mapping[str, Path],
    layers: Mapping[str, BundledLayer],
    entry: Mapping[str, Any],
    wanted: Wanted,
    depot: Depot,
) -> BundledImage:
    text = files[entry["Config"]].read_bytes()
    own = tuple(layers[diff_id] for diff_id in json.loads(text)["rootfs"]["diff_ids"])
    config = _blob(depot, text)
    sizes = {part.digest: part.size for part in depot.parts.values()}
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": f"{OCI}.config.v1+json", "digest": config, "size": len(text)},
        "layers": [
            {
                "mediaType": f"{OCI}.layer.v1.tar+gzip",
                "digest": one.digest,
                "size": sizes[one.digest],
            }
            for one in own
        ],
    }
    return BundledImage(
        names=wanted.names,
        manifest=_blob(depot, json.dumps(manifest).encode()),
        config=config,
        layers=own,
        content=wanted.content,
        job=wanted.job,
        inputs=wanted.inputs,
    )


def _blob(depot: Depot, text: bytes) -> str:
    digest = ALGORITHM + hashlib.sha256(text).hexdigest()
    return depot.add(blob(digest), [text]).digest
