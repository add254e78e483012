"""Whether a host can take another's image: known before a byte is moved."""

import shlex
from collections.abc import Iterable
from typing import Any

import docker

from runnerkit.engine.client import find
from runnerkit.errors import KitError
from runnerkit.images.content import layers, store
from runnerkit.machine.machine import Machine
from runnerkit.place import TEMPLATES


def check(
    reference: str,
    image: dict[str, Any],
    history: Iterable[dict[str, Any]],
    machine: Machine,
    client: docker.APIClient,
    min_free_mb: int,
) -> None:
    """Refuse an image that the host cannot run or has no room for.

    Args:
        reference: what to call it.
        image: as the engine that has it inspects it.
        history: as that engine tells it.
        machine: the host.
        client: its engine.
        min_free_mb: what must stay free on its disk.
    """
    if (runs := client.version()["Arch"]) != image["Architecture"]:
        raise KitError(
            f"{reference} is for {image['Architecture']}, the host is {runs}",
            "build it on a host of that kind, or set its platform in [images]",
        )
    info = client.info()
    copies = 2 if store(info) == "containerd" else 1  # it keeps what came beside what is unpacked
    words = " ".join(
        shlex.quote(word) for word in (info["DockerRootDir"], str(info["DriverStatus"]))
    )
    script = (TEMPLATES / "places.sh").read_text() + f"places {words} | least -Pk"
    kilobytes, _, place = machine.run(script).strip().partition(" ")
    free = int(kilobytes or 0) << 10
    if free - copies * image["Size"] >= min_free_mb << 20:
        return
    known = (find(client, each["Id"]) for each in client.images())
    sizes = [layer["Size"] for layer in history]
    need = copies * lacking(layers(image), sizes, map(layers, known))
    if free - need < min_free_mb << 20:
        raise KitError(
            f"{free >> 20} MB free in {place} on the host: {reference} takes {need >> 20} MB more, "
            f"and {min_free_mb} MB must stay free",
            "make room (./inv image.prune), or lower [docker] min_free_mb; nothing was sent",
        )


def lacking(layers: list[str], sizes: Iterable[int], known: Iterable[list[str]]) -> int:
    """How many bytes an image takes on a host, at most.

    Args:
        layers: the image's, from the base up.
        sizes: of its layers, from the top; 0 also where a step made none.
        known: the layers of each image that the host has.
    """
    shared = max((common(layers, others) for others in known), default=0)
    return sum([size for size in sizes if size][: len(layers) - shared])


def common(ours: list[str], theirs: list[str]) -> int:
    """A layer is shared only upon the same layers below."""
    pairs = list(zip(ours, theirs, strict=False))
    return next((number for number, (a, b) in enumerate(pairs) if a != b), len(pairs))
