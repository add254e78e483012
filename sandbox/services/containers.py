"""The sandbox's network, and the two services in it: the miniature GitLab and the registry."""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import docker
import docker.errors
from docker.models.containers import Container
from docker.models.images import Image

from runnerkit.place import ROOT
from sandbox import network
from sandbox.errors import SandboxError, translated
from sandbox.image_store import RECIPE, ImageStore, own_name
from sandbox.names import IMAGES, Names
from sandbox.network import Net

PATIENCE = 20.0  # seconds for a service to answer
PUSH = 5001  # the registry's door for pushing
DIRECT = build_opener(ProxyHandler({}))


@dataclass(frozen=True)
class Service:
    """One service: a container with an address of its own, and the pages that show it lives."""

    role: str
    address: str
    command: tuple[str, ...]
    probes: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    binds: tuple[str, ...] = ()
    ports: Mapping[int | str, tuple[str, None]] = field(default_factory=dict)
    code: str = ""  # a hash of what the command runs


def registry(net: Net, password: str) -> Service:
    """The registry: anybody may pull. Its second door, for this machine's dockerd to push through, is on
    loopback and asks for a password; whoever could push would choose what hosts run as root."""
    return Service(
        "mirror",
        net.mirror,
        ("sh", "/etc/sandbox/registry.sh"),
        tuple(f"http://{net.mirror}:{port}/v2/" for port in (5000, PUSH)),
        environment={"PUSH_PASSWORD": password},
        ports={PUSH: ("127.0.0.1", None)},
        code=_hash((ROOT / "sandbox" / "services" / "registry.sh").read_text()),
    )


def gitlab(net: Net, tokens: Mapping[str, str]) -> Service:
    """The miniature GitLab, run from this repository's own files."""
    url = f"http://{net.gitlab}:8080"
    sources = sorted((ROOT / "sandbox" / "gitlab").rglob("*.py"))
    return Service(
        "gitlab",
        net.gitlab,
        ("python3", "-m", "sandbox.gitlab", "--listen", "0.0.0.0:8080", "--url", url),
        (f"{url}/api/v4/user",),
        environment={"MINI_GITLAB_TOKENS": json.dumps(tokens)},
        binds=(f"{ROOT}/sandbox:/opt/runnerkit/sandbox:ro",),
        code=_hash(*(path.read_text() for path in sources)),
    )


def build(store: ImageStore) -> Image:
    """The image that both services run in."""
    context = ROOT / "sandbox" / "services"
    return store.build(
        *(f"{IMAGES}/services:latest", context, "Dockerfile", store.base("bookworm")),
        *("registry.sh", "registry.yml", "registry-push.yml"),
    )


def ensure(client: docker.DockerClient, names: Names, image: Image, service: Service) -> Container:
    """The service, running; made anew when anything about it changed."""
    recipe = _hash(str(image.id), repr(service))
    name = names.container(service.role)
    with translated(f"start {name}"):
        container = _reusable(client, name, recipe)
        if container is None:
            created = client.api.create_container(
                own_name(image),
                list(service.command),
                name=name,
                hostname=service.role,
                environment=dict(service.environment),
                labels=names.labels | {RECIPE: recipe},
                ports=list(service.ports),
                host_config=client.api.create_host_config(
                    binds=list(service.binds), port_bindings=service.ports, init=True
                ),
                networking_config=network.attachment(client, names, service.address),
            )
            container = client.containers.get(created["Id"])
        if container.status != "running":
            container.start()
    _await(container, service)
    container.reload()
    return container


def _reusable(client: docker.DockerClient, name: str, recipe: str) -> Container | None:
    try:
        container = client.containers.get(name)
    except docker.errors.NotFound:
        return None
    if container.labels.get(RECIPE) == recipe:
        return container
    container.remove(v=True, force=True)
    return None


def _await(container: Container, service: Service) -> None:
    deadline = time.monotonic() + PATIENCE
    while not all(map(answers, service.probes)):
        container.reload()
        if container.status == "running" and time.monotonic() < deadline:
            time.sleep(0.05)
            continue
        last = (container.logs(tail=3).decode(errors="replace").split("\n"))[-3:]
        raise SandboxError(
            f"{container.name} does not answer at {service.probes[-1]} ({container.status}):"
            f" {' '.join(last).strip()}",
            f"look at `docker logs {container.name}`",
        )


def answers(url: str) -> bool:
    """Whether a server speaks HTTP there; that it refuses is an answer too."""
    try:
        DIRECT.open(url, timeout=2).close()
    except URLError as error:
        return hasattr(error, "code")
    except OSError:
        return False
    return True


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
