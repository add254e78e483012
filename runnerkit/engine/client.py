"""The Docker SDK over the same door: ``docker system dial-stdio`` on a channel of the connection."""

import io
import json
import re
from collections.abc import Iterator
from time import monotonic
from typing import Any

import docker
from docker.transport.basehttpadapter import BaseHTTPAdapter
from requests import PreparedRequest, Response
from urllib3 import HTTPResponse
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from runnerkit.errors import KitError
from runnerkit.machine.machine import Machine

CHUNK = 1 << 20
LARGEST = 16 << 20  # bytes of one answer, and of one event of a stream
PATIENCE = 600  # seconds for the engine to say something, and for all of an answer


class Unopened(KitError):
    """No connection to the engine came about."""


class Unending(KitError):
    """An answer of which no end is in sight."""

    def __init__(self) -> None:
        super().__init__(
            f"the Docker engine answers without end: more than {LARGEST >> 20} MB or {PATIENCE} s",
            "see on the host that it is Docker's own: docker version, docker info",
        )


class _EngineConnection(HTTPConnection):
    machine: Machine

    def connect(self) -> None:
        try:
            self.sock = self.machine.open("exec docker system dial-stdio")
        except KitError as error:
            raise Unopened(error.what, error.fix) from None


class _Adapter(BaseHTTPAdapter):
    def __init__(self, machine: Machine) -> None:
        super().__init__()
        kind = type("_Bound", (_EngineConnection,), {"machine": machine})
        self._pool = HTTPConnectionPool("docker", timeout=None, maxsize=4)
        self._pool.ConnectionCls = kind

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:
        return self._pool

    def send(
        self, request: PreparedRequest, stream: bool = False, *_: Any, **more: Any
    ) -> Response:
        """What is not read as it comes is read here, as far as it may go."""
        answer = super().send(request, stream=True, **more)
        if not stream or not answer.ok:
            answer.raw = io.BytesIO(_whole(answer.raw))
        return answer

    def request_url(self, request: Any, proxies: Any) -> str:
        return str(request.path_url)

    def build_response(self, req: Any, resp: Any) -> Response:
        """An answer of which only half a head came would pass for one without a body."""
        if not (resp.chunked or "Content-Length" in resp.headers or resp.status in (204, 304)):
            raise ConnectionError("the answer's head is cut off")
        return super().build_response(req, resp)

    def close(self) -> None:
        self._pool.close()


class _Client(docker.APIClient):
    def _stream_helper(self, response: Response, decode: bool = False) -> Iterator[Any]:
        """The SDK's own takes a chunk whole, however long."""
        return events(response) if decode else response.iter_content(CHUNK)


def events(answer: Response) -> Iterator[dict[str, Any]]:
    """What an engine tells of long work, an event a line.

    Raises:
        Unending: one of them has no end.
    """
    line = bytearray()
    for piece in answer.iter_content(CHUNK):
        first, *others = piece.split(b"\n")
        line += first
        for other in others:
            yield from _event(line)
            line = bytearray(other)
        if len(line) > LARGEST:
            raise Unending
    yield from _event(line)


def _event(line: bytearray) -> Iterator[dict[str, Any]]:
    if line.strip():
        yield json.loads(line)


def _whole(raw: HTTPResponse) -> bytes:
    body, end = bytearray(), monotonic() + PATIENCE
    while piece := raw.read1(CHUNK, decode_content=True):
        body += piece
        if len(body) > LARGEST or monotonic() > end:
            raw.close()
            raise Unending
    return bytes(body)


def connect(machine: Machine) -> docker.APIClient:
    """A client that speaks the engine's own API version: some engines refuse older ones."""
    probe = _client(machine, "1.40")
    version = probe.version(api_version=False)["ApiVersion"]
    probe.close()
    return _client(machine, version)


def image(client: docker.APIClient, reference: str) -> dict[str, Any]:
    """What ``docker image inspect`` tells of an image of the host."""
    return dict(client.inspect_image(reference))  # type: ignore[no-untyped-call]


def find(client: docker.APIClient, reference: str) -> dict[str, Any]:
    """The image; empty where there is none of that name or id."""
    try:
        return image(client, reference)
    except docker.errors.ImageNotFound:
        return {}


def saved(client: docker.APIClient, image: str) -> Iterator[bytes]:
    """What ``docker save`` writes; the SDK's own get_image wants the socket below, a channel has none."""
    yield from saved_all(client, [image])


def saved_all(client: docker.APIClient, images: list[str]) -> Iterator[bytes]:
    """The same of several in one: a layer that they share comes once."""
    url = f"{client.base_url}/v{client.api_version}/images/get"
    params = {"names": images}
    with client.get(url, params=params, stream=True, timeout=client.timeout) as response:
        response.raise_for_status()
        yield from response.iter_content(CHUNK)


def untag(client: docker.APIClient, names: str) -> None:
    """Take away names that images had on the way: a cut-off run may have left some."""
    for image in client.images():
        for name in image.get("RepoTags") or ():
            if re.match(names, name):
                client.remove_image(name, noprune=True)


def _client(machine: Machine, version: str) -> docker.APIClient:
    client = _Client(base_url="http://docker:1", version=version, timeout=PATIENCE)
    client.mount("http://", _Adapter(machine))
    client.trust_env = False
    # An engine never redirects; a hostile one would lead out of the tunnel.
    client.max_redirects = 0
    return client
