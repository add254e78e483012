"""What the registry serves: images of this machine under the names they have on Docker Hub."""

import base64
import json
from http.client import HTTPException
from urllib.request import Request

import docker
from docker.models.images import Image

from runnerkit.place import ROOT
from sandbox import keys
from sandbox.errors import SandboxError, translated
from sandbox.image_store import ImageStore
from sandbox.names import IMAGES, Names
from sandbox.services.containers import DIRECT, PUSH

REGISTRY = "registry:2"
HUB, STAND_IN = f"{IMAGES}/hub/{REGISTRY}", f"{IMAGES}/{REGISTRY}"
KINDS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
)


def registry(store: ImageStore) -> Image:
    """What hosts pull as registry:2: the real one if it can be had, else the stand-in."""
    known = store.find(HUB) or (None if store.find(STAND_IN) else store.hub(REGISTRY, HUB))
    if known:
        return known
    context = ROOT / "sandbox" / "services"
    base = store.base("bookworm")
    return store.build(STAND_IN, context, "Dockerfile.registry", base, "registry-2.yml")


def push(client: docker.DockerClient, names: Names, image: Image, name: str) -> bool:
    """Put an image into the registry, unless it is there; whether it had to be."""
    mirror = client.containers.get(names.container("mirror"))
    (door,) = mirror.ports[f"{PUSH}/tcp"] or [{}]
    port = door["HostPort"]
    repository, _, tag = name.rpartition(":")
    login = {"username": "sandbox", "password": keys.password(names.state, "push")}
    manifest = f"http://127.0.0.1:{port}/v2/{repository}/manifests/{tag}"
    if str(image.id) in _digests(manifest, **login):
        return False
    passing = f"127.0.0.1:{port}/{repository}"
    with translated(f"put {name} into the mirror"):
        image.tag(passing, tag)
        try:
            pushing = client.images.push(
                passing, tag=tag, stream=True, decode=True, auth_config=login
            )
            for line in pushing:
                if "error" in line:
                    raise SandboxError(
                        f"put {name} into the mirror: {line['error']}",
                        "`./inv sandbox.down`, then run it again",
                    )
        finally:
            client.images.remove(f"{passing}:{tag}")
    return True


def _digests(url: str, username: str, password: str) -> set[str]:
    """What an image may be called by its content: the engine's stores do not agree on it."""
    basic = base64.b64encode(f"{username}:{password}".encode()).decode()
    headers = {"Accept": ", ".join(KINDS), "Authorization": f"Basic {basic}"}
    try:
        with DIRECT.open(Request(url, headers=headers), timeout=5) as answer:
            config = json.load(answer).get("config", {})
            return {answer.headers.get("Docker-Content-Digest", ""), config.get("digest", "")}
    except (OSError, HTTPException, ValueError):
        return set()
