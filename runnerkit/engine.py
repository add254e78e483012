"""The Docker SDK over the same door: ``docker system dial-stdio`` on a channel of the connection."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import docker
from docker import auth as logins
from docker.transport.basehttpadapter import BaseHTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import HTTPError

from runnerkit.errors import KitError
from runnerkit.machine import Machine
from runnerkit.plan import Pull, mask

Progress = Callable[[str], None]


class _Connection(HTTPConnection):
    machine: Machine

    def connect(self) -> None:
        self.sock = self.machine.open("exec docker system dial-stdio")


class _Adapter(BaseHTTPAdapter):
    def __init__(self, machine: Machine) -> None:
        super().__init__()
        kind = type("_Bound", (_Connection,), {"machine": machine})
        self._pool = HTTPConnectionPool("docker", timeout=None, maxsize=4)
        self._pool.ConnectionCls = kind

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:
        return self._pool

    def request_url(self, request: Any, proxies: Any) -> str:
        return str(request.path_url)

    def close(self) -> None:
        self._pool.close()


def connect(machine: Machine) -> docker.APIClient:
    """A client that speaks the engine's own API version: some engines refuse older ones."""
    probe = _client(machine, "1.40")
    version = probe.version(api_version=False)["ApiVersion"]
    probe.close()
    return _client(machine, version)


def pull(client: docker.APIClient, change: Pull, progress: Progress) -> None:
    """Pull from the first source that has the image, and give it the wanted name.

    Raises:
        KitError: none has it.
    """
    failures = []
    for source in change.sources:
        name, _, tag = source.rpartition(":") if "@" not in source else (source, "", "")
        if "/" in tag or not name:
            name, tag = source, "latest"
        try:
            events = client.pull(
                name, tag=tag or None, stream=True, decode=True, platform=change.platform or None,
                auth_config=_login(name),
            )  # fmt: skip
            _follow(events, "Downloading", progress)
        except (docker.errors.APIError, _Told) as error:
            failures.append(f"{source}: {_text(error)}")
            continue
        if source != change.image:
            repository, _, wanted = change.image.rpartition(":")
            client.tag(source, repository, wanted, force=True)
        return
    mirrors = client.info().get("RegistryConfig", {}).get("Mirrors") or []
    by = f" (mirrors tried: {', '.join(mirrors)})" if mirrors else " (no registry mirror is set)"
    raise KitError(
        f"cannot pull {' or '.join(failures)}{by}",
        "check the name (an image of your own is a folder of dockerfiles/); behind a firewall set"
        " [docker] registry_mirrors to one that has the image",
    )


def image(client: docker.APIClient, reference: str) -> dict[str, Any]:
    """What ``docker image inspect`` tells of an image of the host."""
    return dict(client.inspect_image(reference))  # type: ignore[no-untyped-call]


def push(
    client: docker.APIClient, reference: str, auth: Mapping[str, str], progress: Progress
) -> None:
    """Push an image to the registry that its name says.

    Args:
        client: the engine that has it.
        reference: the image's name there, registry and tag included.
        auth: ``username`` and ``password``, or {}.
        progress: told how far it is.

    Raises:
        KitError: the registry refuses it or cannot be reached.
    """
    try:
        login = dict(auth) or _login(reference)
        events = client.push(reference, stream=True, decode=True, auth_config=login)
        _follow(events, "Pushing", progress)
    except (docker.errors.APIError, _Told) as error:
        raise KitError(
            f"cannot push {reference}: {mask(_text(error))}",
            "check the name, and REGISTRY_USER and REGISTRY_PASSWORD in the environment",
        ) from None


def _login(name: str) -> dict[str, Any]:
    """This machine's own login at an image's registry; none where its store of logins fails."""
    registry, _ = logins.resolve_repository_name(name)
    try:
        return logins.load_config().resolve_authconfig(registry) or {}
    except docker.errors.DockerException:
        return {}


class _Told(Exception):
    """An error that the engine told in the midst of a stream."""


def _client(machine: Machine, version: str) -> docker.APIClient:
    client = docker.APIClient(base_url="http://docker:1", version=version, timeout=600)
    client.mount("http://", _Adapter(machine))
    client.trust_env = False
    return client


def _told(event: dict[str, Any]) -> None:
    if "error" in event:
        raise _Told(event["error"])


def _text(error: Exception) -> str:
    said = getattr(error, "explanation", None) or str(error)
    return " ".join(str(said).split())


def _follow(events: Iterator[dict[str, Any]], verb: str, progress: Progress) -> None:
    layers: dict[str, tuple[int, int]] = {}
    for event in events:
        _told(event)
        detail = event.get("progressDetail") or {}
        if event.get("status") == verb and "total" in detail:
            layers[event["id"]] = (detail["current"], detail["total"])
            done, total = (sum(numbers) / 1e6 for numbers in zip(*layers.values(), strict=True))
            progress(f"{done:.0f} of {total:.0f} MB")


def failure(where: str, error: Exception) -> KitError:
    """What to say when the engine itself does not answer."""
    text = json.dumps(str(error))[:300]
    # Requests' own errors are OSErrors; in the midst of a stream they come as urllib3 has them.
    if isinstance(error, OSError | EOFError | HTTPError | docker.errors.DockerException):
        return KitError(
            f"{where}: the Docker engine does not answer: {text}",
            "run again: it goes on from there",
        )
    raise error
