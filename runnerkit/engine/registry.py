"""A registry on a host's loopback that lives as long as the run, and keeps what it was given."""

import contextlib
import shlex
import socket
import ssl
from collections.abc import Iterator
from time import monotonic, sleep

import docker

from runnerkit.engine import certificate
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

# The host's own network, so that no job's container reaches it. Its key comes by stdin.
SERVE = """trap '' HUP INT TERM
docker rm -f {name} >/dev/null 2>&1
rm -f /run/runnerkit.registry.*
pem=$(mktemp /run/runnerkit.registry.XXXXXX) && sed /^END/q >"$pem"
if output=$(docker create --name {name} --network host --userns host -v {name}:/var/lib/registry \
  -e REGISTRY_HTTP_ADDR=127.0.0.1:{port} -e REGISTRY_HTTP_DEBUG_ADDR= \
  -e REGISTRY_HTTP_TLS_CERTIFICATE={pem} -e REGISTRY_HTTP_TLS_KEY={pem} \
  -e REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=/var/lib/registry {image} 2>&1 </dev/null &&
  docker cp "$pem" {name}:{pem} 2>&1 && docker start {name} 2>&1)
then rm -f "$pem"; echo ready; cat >/dev/null
else rm -f "$pem"; echo "$output" | tail -n 1
fi
docker rm -f {name} >/dev/null 2>&1
"""
PEM = "/runnerkit.pem"


@contextlib.contextmanager
def serving(machine: Machine, client: docker.APIClient, image: str, tell: Tell) -> Iterator[str]:
    """A registry on port PORT of the host's loopback; it goes with the run, even a killed one.

    Yields:
        The certificate that it answers with.

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
    known, key = certificate.new()
    pipe = machine.open(SERVE.format(name=NAME, port=PORT, pem=PEM, image=shlex.quote(image)))
    try:
        pipe.sendall(f"{known}{key}END\n".encode())
        if (answer := _line(pipe)) != "ready":
            raise KitError(f"{image} does not start: {answer or 'no word of why'}")
        _await(machine, client, known)
        yield known
    finally:
        with contextlib.suppress(OSError, EOFError):
            pipe.shutdown(socket.SHUT_WR)
            while pipe.recv(4096):  # until it has gone
                pass
        pipe.close()


def _await(machine: Machine, client: docker.APIClient, known: str) -> None:
    """Wait until ours answers, not another program on that port."""
    deadline = monotonic() + PATIENCE
    while not _answers(machine, known):
        state = client.inspect_container(NAME)["State"]
        if not state["Running"] or monotonic() > deadline:
            last = client.logs(NAME, tail=1).decode(errors="replace").strip()[:200]
            raise KitError(f"the registry does not answer on 127.0.0.1:{PORT}: {last}")
        sleep(0.05)


def _answers(machine: Machine, known: str) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=known)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=tunnel.LOOPBACK)
    with (
        contextlib.suppress(OSError, EOFError),
        contextlib.closing(tunnel.dial(machine, PORT)) as pipe,
    ):
        while True:
            try:
                tls.do_handshake()
                return True
            except ssl.SSLWantReadError:
                pipe.sendall(outgoing.read())
                if not (data := pipe.recv(4096)):
                    break
                incoming.write(data)
    return False


def _line(pipe: Pipe) -> str:
    line = b""
    while not line.endswith(b"\n") and (data := pipe.recv(4096)):
        line += data
    return line.decode(errors="replace").strip()
