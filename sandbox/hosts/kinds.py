"""The kinds of blank hosts, and their images."""

import os
from dataclasses import dataclass

from docker.models.images import Image

from runnerkit.place import ROOT
from sandbox.errors import SandboxError
from sandbox.image_store import ImageStore
from sandbox.names import IMAGES

CONTEXT = ROOT / "sandbox" / "hosts"
DOCKER_29 = "RUNNERKIT_DOCKER_29_IMAGE"


@dataclass(frozen=True)
class Kind:
    """A folder's Dockerfile upon another kind of host, or upon bare Debian of that suite."""

    suite: str
    folder: str
    upon: str = ""


KINDS = {
    "systemd": Kind("bookworm", "systemd"),
    "docker": Kind("bookworm", "docker", "systemd"),  # 20.10
    "plain": Kind("trixie", "plain"),
    "trixie": Kind("trixie", "engine", "plain"),  # Docker 26.1
    "plain-sid": Kind("sid", "plain"),
    "sid": Kind("sid", "engine", "plain-sid"),  # Docker 28.5
    "docker29": Kind("sid", "docker29", "sid"),
}
SYSTEMD = ("systemd", "docker")


def find(name: str) -> Kind:
    """The kind of that name."""
    if name not in KINDS:
        raise SandboxError(f"no kind of host {name!r}", f"one of: {', '.join(KINDS)}")
    return KINDS[name]


def build(store: ImageStore, name: str) -> Image:
    """The image of a kind of host."""
    kind = find(name)
    base = build(store, kind.upon) if kind.upon else store.base(kind.suite)
    if name == "docker29":
        base = _docker_29(store)
    dockerfile = f"{kind.folder}/Dockerfile"
    return store.build(f"{IMAGES}/host:{name}", CONTEXT, dockerfile, base, "boot.sh", "users.sh")


def _docker_29(store: ImageStore) -> Image:
    """An image that has it, as Docker's own has: no Debian has it yet."""
    wanted, name = os.environ.get(DOCKER_29, "docker:29"), f"{IMAGES}/docker:29"
    image = store.find(wanted)
    if image is None:
        raise SandboxError(
            f"hosts of kind docker29 take Docker from {wanted}, which is not on this machine",
            f"pull it, or name in {DOCKER_29} an image that has /usr/local/bin/dockerd",
        )
    image.tag(name)
    return store.client.images.get(name)
