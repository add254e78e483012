"""Image names, as people write them and as the engine lists them."""

import re
from typing import Any


def normal(reference: str) -> str:
    """An image's name as the engine lists it: without Docker Hub's prefix, with its tag."""
    for prefix in ("docker.io/library/", "docker.io/", "index.docker.io/"):
        reference = reference.removeprefix(prefix)
    last = reference.rsplit("/", 1)[-1]
    if "@" in reference:  # a digest beside a tag wins
        name, digest = reference.split("@", 1)
        return re.sub(r":[^:/]+$", "", name) + "@" + digest
    return reference if ":" in last else f"{reference}:latest"


def by_reference(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Images as the engine inspects them, by each of their names."""
    images: dict[str, dict[str, Any]] = {}
    for image in found:
        names = (image.get("RepoTags") or []) + (image.get("RepoDigests") or [])
        images |= dict.fromkeys(names or [image["Id"]], image)
    return images
