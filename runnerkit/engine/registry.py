"""A registry on a host's loopback that lives as long as the run, and keeps what it was given."""

import contextlib
import secrets
import shlex
import socket
from collections.abc import Iterator
from time import monotonic, sleep

import docker

from runnerkit.engine.transfer import pull
from runnerkit.errors import KitError
from runnerkit.events import Tell
from runnerkit.machine import tunnel
from runnerkit.machine.machine import Machine
from runnerkit.machine.streams import Pipe
from runnerkit.plan import Pull

PORT = 5077  # always the same: the engine remembers by it which layers are there
NAME = "runnerkit-registry"  # the container, and the volume of its layers
PATIENCE = 20.0  # seconds for it to answer

# The host's own network, so that no job's container reaches it.
SERVE = """trap '' HUP INT TERM
docker rm -f {name} >/dev/null 2>&1
if said=$(docker run -d --name {name} --network host --userns host -v {name}:/var/lib/registry \
  -e REGISTRY_HTTP_ADDR=127.0.0.1:{port} -e REGISTRY_HTTP_DEBUG_ADDR= \
  -e REGISTRY_HTTP_HEADERS='{{X-Runnerkit: [{mark}]}}' \
  -e REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=/var/lib/registry {image} 2>&1 </dev/null)
then echo ready; cat >/dev/null
else echo "$said" | tail -n 1
fi
docker rm -f {name} >/dev/null 2>&1
"""


@contextlib.contextmanager
def serving(machine: Machine, client: docker.APIClient, image: str, tell: Tell) -> Iterator[None]:
    """A registry on port PORT of the host's loopback; it goes with the run, even a killed one.

    Args:
        machine: the host.
        client: its engine.
        image: the registry's image.
        tell: told how far it is.

    Raises:
        KitError: no registry is to be had; why.
    """
    try:
        client.inspect_image(image)  # type: ignore[no-untyped-call]
    except docker.errors.ImageNotFound:
        pull(client, Pull(f"pull {image}", image, (image,)), tell)
    mark = secrets.token_hex(8)
    pipe = machine.open(SERVE.format(name=NAME, port=PORT, mark=mark, image=shlex.quote(image)))
    try:
        if (answer := _line(pipe)) != "ready":
            raise KitError(f"{image} does not start: {answer or 'no word of why'}")
        _await(machine, client, mark)
        yield
    finally:
        with contextlib.suppress(OSError, EOFError):
            pipe.shutdown(socket.SHUT_WR)
            while pipe.recv(4096):  # until it has gone
                pass
        pipe.close()


def _await(machine: Machine, client: docker.APIClient, mark: str) -> None:
    """Wait until ours answers, not another program on that port."""
    deadline = monotonic() + PATIENCE
    while mark.encode() not in _answer(machine):
        state = client.inspect_container(NAME)["State"]
        if not state["Running"] or monotonic() > deadline:
            last = client.logs(NAME, tail=1).decode(errors="replace").strip()[:200]
            raise KitError(f"the registry does not answer on 127.0.0.1:{PORT}: {last}")
        sleep(0.05)


def _answer(machine: Machine) -> bytes:
    answer = b""
    with contextlib.suppress(OSError, EOFError):
        pipe = tunnel.dial(machine, PORT)
        try:
            pipe.sendall(b"GET /v2/ HTTP/1.0\r\n\r\n")
            while data := pipe.recv(4096):
                answer += data
        finally:
            pipe.close()
    return answer


def _line(pipe: Pipe) -> str:
    line = b""
    while not line.endswith(b"\n") and (data := pipe.recv(4096)):
        line += data
    return line.decode(errors="replace").strip()
