"""The sandbox's images go again."""

from http import HTTPStatus
from pathlib import Path

import docker
import docker.errors

from sandbox.names import IMAGES, LABEL


def clear(client: docker.DockerClient, state: Path) -> int:
    """Remove every image that a sandbox made, pulled or tagged; how many of them went."""
    pulled = state / "pulled"
    names = [tag for image in client.images.list() for tag in image.tags]
    ours = [name for name in names if name.startswith(f"{IMAGES}/")]
    ours += pulled.read_text().split() if pulled.exists() else []
    removed = sum(remove(client, name) for name in ours)
    for image in client.images.list(filters={"label": LABEL, "dangling": True}):
        remove(client, str(image.id))
    return removed


def remove(client: docker.DockerClient, name: str) -> bool:
    """Remove an image's name, or an image; whether it went."""
    try:
        client.images.remove(name)
    except docker.errors.APIError as error:
        # Gone already, or a container of somebody else's uses it.
        if error.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
            return False
        raise
    return True
