"""The Docker Engine by its SDK's plain calls, which Debian's 5.x and today's 7.x share."""

import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import docker
import docker.errors
import requests
from docker.utils import socket as docker_socket

from ..table import Table
from .failure import Failure
from .stopping import Stopping

DEFAULT_HOST = "unix:///var/run/docker.sock"
_LONG = 3600


class EngineError(Failure):
    """The daemon refused, in the words in which the Go client reports it."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class Engine:
    def __init__(self, settings: Table) -> None:
        host = settings.text("host") or os.environ.get("DOCKER_HOST") or DEFAULT_HOST
        try:
            # Its calls are typed in part only, and not alike in both versions.
            self.api: Any = docker.APIClient(base_url=host, version="auto", timeout=_LONG)
        except docker.errors.DockerException:
            raise EngineError(
                f"Cannot connect to the Docker daemon at {host}. Is the docker daemon running?"
            ) from None

    def __call__(self, call: Callable[[Any], Any]) -> Any:
        """Run one call on the SDK's client, with its errors translated."""
        try:
            return call(self.api)
        except docker.errors.DockerException as error:
            explanation = getattr(error, "explanation", None) or str(error)
            status = getattr(getattr(error, "response", None), "status_code", 0)
            raise EngineError(f"Error response from daemon: {explanation}", status) from error
        except requests.RequestException as error:
            raise EngineError(f"error during connect: {error}") from error

    def image(self, name: str) -> Table:
        return Table(self(lambda api: api.inspect_image(name)))

    def pull(self, name: str) -> None:
        repository, tag = split_reference(name)

        def run(api: Any) -> None:
            for event in api.pull(repository, tag=tag, stream=True, decode=True):
                if "error" in event:
                    raise EngineError(str(event["error"]))

        self(run)

    def create(self, name: str, settings: Mapping[str, object], host: Mapping[str, object]) -> str:
        """A container that waits for its stdin."""

        def run(api: Any) -> str:
            host_config = api.create_host_config(**host)
            config = api.create_container_config(
                host_config=host_config, stdin_open=True, **settings
            )
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

    def stop(self, container: str) -> None:
        """Ask it briefly to end, then kill it; it may have ended by itself."""
        with suppress(EngineError):
            self(lambda api: api.stop(container, timeout=1))

    def run(
        self, container: str, stdin: str, output: Callable[[bytes], None], stopping: Stopping
    ) -> int:
        """Start a container, feed it, hand over its output; its exit code."""
        ways = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        wire: socket.socket = self(lambda api: api.attach_socket(container, params=ways))
        wire = getattr(wire, "_sock", wire)
        try:
            self(lambda api: api.start(container))
            with stopping.ending(lambda: self.stop(container)):
                wire.setblocking(True)
                wire.sendall(stdin.encode())
                wire.shutdown(socket.SHUT_WR)
                for _, data in docker_socket.frames_iter(wire, tty=False):  # type: ignore[no-untyped-call]
                    output(data)
                # As the real program does: where the output ended before the container, as it does when
                # Docker starts anew, that is stopped.
                self.stop(container)
                return int(self(lambda api: api.wait(container))["StatusCode"])
        except OSError as error:
            raise EngineError(f"error during connect: {error}") from error
        finally:
            wire.close()


def split_reference(name: str) -> tuple[str, str]:
    """Repository and tag; without one `latest`, and a digest stays with the name."""
    if "@" in name:
        repository, _, digest = name.partition("@")
        return repository, digest
    head, slash, last = name.rpartition("/")
    base, colon, tag = last.partition(":")
    return f"{head}{slash}{base}", tag if colon else "latest"
