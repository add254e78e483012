"""Whether a host can take another's image: known before a byte is moved."""

from collections.abc import Iterable
from typing import Any

import docker

from runnerkit.errors import KitError
from runnerkit.machine.machine import Machine


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
    root = client.info()["DockerRootDir"]
    free = int(machine.run(f"df -Pk '{root}' | awk 'NR == 2 {{print $4}}'")) << 10
    if free - image["Size"] >= min_free_mb << 20:
        return
    known = (client.inspect_image(each["Id"]) for each in client.images())  # type: ignore[no-untyped-call]
    sizes = [layer["Size"] for layer in history]
    need = lacking(_layers(image), sizes, map(_layers, known))
    if free - need < min_free_mb << 20:
        raise KitError(
            f"{free >> 20} MB free in {root} on the host: {reference} takes {need >> 20} MB more, "
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
    shared = max((_common(layers, others) for others in known), default=0)
    return sum([size for size in sizes if size][: len(layers) - shared])


def _common(ours: list[str], theirs: list[str]) -> int:
    """A layer is shared only upon the same layers below."""
    pairs = list(zip(ours, theirs, strict=False))
    return next((number for number, (a, b) in enumerate(pairs) if a != b), len(pairs))


def _layers(image: dict[str, Any]) -> list[str]:
    return image["RootFS"].get("Layers") or []
