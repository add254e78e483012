"""The Docker Engine by its SDK's plain calls, which Debian's 5.x and today's 7.x share."""

import os
import select
import socket
import struct
import time
from collections.abc import Callable, Mapping
from typing import Any

from .errors import Failure

DEFAULT_HOST = "unix:///var/run/docker.sock"
_LONG = 3600


class EngineError(Failure):
    """The daemon refused, in the words in which the Go client reports it."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class Engine:
    def __init__(self, docker: Mapping[str, Any]) -> None:
        import docker as sdk
        import requests

        host = docker.get("host") or os.environ.get("DOCKER_HOST") or DEFAULT_HOST
        self._errors = (sdk.errors.APIError, sdk.errors.DockerException)
        self._lost = requests.exceptions.RequestException
        try:
            self.api: Any = sdk.APIClient(base_url=host, version="auto", timeout=_LONG)
        except self._errors:
            raise EngineError(
                f"Cannot connect to the Docker daemon at {host}. Is the docker daemon running?"
            ) from None

    def __call__(self, call: Callable[[Any], Any]) -> Any:
        """Run one call on the SDK's client, with its errors translated."""
        try:
            return call(self.api)
        except self._errors as error:
            explanation = getattr(error, "explanation", None) or str(error)
            status = getattr(getattr(error, "response", None), "status_code", 0)
            raise EngineError(f"Error response from daemon: {explanation}", status) from error
        except self._lost as error:
            raise EngineError(f"error during connect: {error}") from error

    def image(self, name: str) -> dict[str, Any]:
        return dict(self(lambda api: api.inspect_image(name)))

    def pull(self, name: str, auth: Mapping[str, str] | None) -> None:
        repository, tag = split_reference(name)

        def run(api: Any) -> None:
            for event in api.pull(
                repository, tag=tag, stream=True, decode=True, auth_config=dict(auth or {}) or None
            ):
                if "error" in event:
                    raise EngineError(str(event["error"]))

        self(run)

    def create(self, name: str, made: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
        """A container that waits for its stdin."""

        def run(api: Any) -> str:
            host = api.create_host_config(**settings)
            config = api.create_container_config(host_config=host, stdin_open=True, **made)
            # Not among the SDK's arguments: stdin ends with the connection that brings it.
            config["StdinOnce"] = True
            return str(api.create_container_from_config(config, name)["Id"])

        return str(self(run))

    def remove(self, container: str) -> None:
        try:
            self(lambda api: api.remove_container(container, v=True, force=True))
        except EngineError as error:
            if error.status != 404:
                raise

    def remove_volume(self, name: str) -> None:
        self(lambda api: api.remove_volume(name, force=True))

    def run(
        self,
        container: str,
        stdin: str,
        output: Callable[[int, bytes], None],
        stopped: Callable[[], bool],
    ) -> int:
        """Start a made container, feed it, hand over its output; its exit code.

        Once `stopped` says so the container is stopped, briefly asked and then killed.
        """
        ways = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        wire = raw_socket(self(lambda api: api.attach_socket(container, params=ways)))
        try:
            self(lambda api: api.start(container))
            wire.setblocking(True)
            wire.sendall(stdin.encode())
            wire.shutdown(socket.SHUT_WR)
            if not follow(wire, output, stopped):
                self(lambda api: api.stop(container, timeout=1))
        except OSError as error:
            raise EngineError(f"error during connect: {error}") from error
        finally:
            wire.close()
        return int(self(lambda api: api.wait(container))["StatusCode"])


def raw_socket(attached: Any) -> socket.socket:
    """The SDK wraps the socket differently by version and transport."""
    wire: socket.socket = getattr(attached, "_sock", attached)
    return wire


def follow(
    wire: socket.socket, output: Callable[[int, bytes], None], stopped: Callable[[], bool]
) -> bool:
    """Take the multiplexed stream apart until its end (True) or until told to stop."""
    pending = b""
    while not stopped():
        if not select.select([wire], [], [], 0.2)[0]:
            continue
        data = wire.recv(65536)
        if not data:
            return True
        pending += data
        while len(pending) >= 8:
            stream, size = struct.unpack(">BxxxL", pending[:8])
            if len(pending) < 8 + size:
                break
            output(stream, pending[8 : 8 + size])
            pending = pending[8 + size :]
    return False


def split_reference(name: str) -> tuple[str, str | None]:
    """Repository and tag; without one `latest`, and a digest stays with the name."""
    if "@" in name:
        repository, _, digest = name.partition("@")
        return repository, digest
    head, slash, last = name.rpartition("/")
    base, colon, tag = last.partition(":")
    return f"{head}{slash}{base}", tag if colon else "latest"


def elapsed(since: float) -> str:
    return f"{int(time.monotonic() - since)}s"
