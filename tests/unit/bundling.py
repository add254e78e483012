"""Small bundles, of images as engines save them."""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from runnerkit.bundle import reading, saved, writing
from runnerkit.bundle.contents import BundledPackages, Contents
from runnerkit.bundle.reading import Bundle
from runnerkit.bundle.saved import Wanted
from tests.unit.build import HELPER, MANAGER

DEB = "packages/debian-12/amd64/docker.io_1_amd64.deb"
NAMES = (MANAGER, HELPER, "debian:bookworm")


def save(images: Mapping[str, Sequence[bytes]]) -> bytes:
    """What `docker save` of an engine before 25 writes: a layer that two share is a link the second time."""
    out, entries = io.BytesIO(), []
    known: dict[bytes, str] = {}
    with tarfile.open(fileobj=out, mode="w") as tar:

        def add(name: str, data: bytes) -> str:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
            return name

        for name, layers in images.items():
            ids = [f"sha256:{hashlib.sha256(one).hexdigest()}" for one in layers]
            config = json.dumps({"name": name, "rootfs": {"type": "layers", "diff_ids": ids}})
            places = []
            for number, one in enumerate(layers):
                place = f"{hashlib.sha256(name.encode()).hexdigest()[:8]}{number}/layer.tar"
                if first := known.get(one):
                    link = tarfile.TarInfo(place)
                    link.type, link.linkname = tarfile.SYMTYPE, f"../{first}"
                    tar.addfile(link)
                else:
                    known[one] = add(place, one)
                places.append(place)
            digest = hashlib.sha256(config.encode()).hexdigest()
            entries.append(
                {
                    "Config": add(f"{digest}.json", config.encode()),
                    "RepoTags": [name],
                    "Layers": places,
                }
            )
        add("manifest.json", json.dumps(entries).encode())
    return out.getvalue()


def bundle(
    folder: Path,
    images: Mapping[str, Sequence[bytes]] | None = None,
    name: str = "b.tar",
    architecture: str = "amd64",
    sign: writing.Signer | None = None,
    source: str = "distro",
    system: str = "debian-12",
) -> Bundle:
    """A bundle for a system with these images, or those of `want()`; each job image is its own name."""
    found = images or {one: [b"base" * 5000, one.encode() * 500] for one in NAMES}
    file = folder / name
    with writing.gathering(file) as depot:
        wanted = [Wanted((one,), f"sha256:{one}") for one in found]
        gathered = saved.gather(iter([save(found)]), wanted, depot)
        depot.add(DEB, [b"a package"])
        packages = BundledPackages(
            system, source, (f"docker-of-{source}",), "Package: docker.io\n",
            {DEB.rsplit("/", maxsplit=1)[-1]: DEB}, 9,
        )  # fmt: skip
        writing.layout(depot, gathered)
        contents = Contents(
            "1", "2026-11-27T00:00:00+00:00", architecture, tuple(gathered), (packages,),
            parts=dict(depot.parts),
        )  # fmt: skip
        writing.write(file, contents, depot.read, sign)
    return reading.opened(file)


def pieces(data: bytes, size: int = 7000) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))
