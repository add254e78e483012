"""A registry on a host's loopback that lives as long as the run, with all that it was given.

It lets in who has a permit of the run: not the host's other users and jobs, nor those of the hosts that
reach it through a tunnel.
"""

import contextlib
import shlex
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from time import monotonic, sleep

import docker

from runnerkit.engine import certificate
from runnerkit.engine.client import find
from runnerkit.engine.permit import ISSUER, permit
from runnerkit.engine.transfer import pull
from runnerkit.errors import KitError
from runnerkit.events import Tell
from runnerkit.machine import forward
from runnerkit.machine.machine import Machine
from runnerkit.machine.streams import Pipe
from runnerkit.plan import Pull

PORT = 5077
NAME = "runnerkit-registry"  # the container; once also a volume, in which layers stayed
PATIENCE = 20.0  # seconds for it to answer
LONGEST = 1 << 16  # bytes of the line that its script prints

# The host's own network, so that no job's container reaches it. Its key comes by stdin, who may come in
# is told by its certificate, and its volume has no name, so that it goes with it.
SERVE = """trap '' HUP INT TERM
docker rm -fv {name} >/dev/null 2>&1
docker volume rm {name} >/dev/null 2>&1
rm -f /run/runnerkit.registry.*
pem=$(mktemp /run/runnerkit.registry.XXXXXX) && sed /^END/q >"$pem"
if output=$(docker create --name {name} --network host --userns host -v /var/lib/registry \
  --log-driver json-file --log-opt max-size=1m \
  -e REGISTRY_HTTP_ADDR=127.0.0.1:{port} -e REGISTRY_HTTP_DEBUG_ADDR= \
  -e REGISTRY_HTTP_TLS_CERTIFICATE={pem} -e REGISTRY_HTTP_TLS_KEY={pem} \
  -e REGISTRY_AUTH=token -e REGISTRY_AUTH_TOKEN_ROOTCERTBUNDLE={pem} \
  -e REGISTRY_AUTH_TOKEN_ISSUER={issuer} -e REGISTRY_AUTH_TOKEN_SERVICE={issuer} \
  -e REGISTRY_AUTH_TOKEN_REALM=https://127.0.0.1:{port}/ \
  -e REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=/var/lib/registry {image} 2>&1 </dev/null &&
  docker cp "$pem" {name}:{pem} 2>&1 && docker start {name} 2>&1)
then rm -f "$pem"; echo ready; cat >/dev/null
else rm -f "$pem"; echo "$output" | tail -n 1
fi
docker rm -fv {name} >/dev/null 2>&1
"""
PEM = "/runnerkit.pem"
REQUEST = f"GET /v2/ HTTP/1.1\r\nHost: {forward.LOOPBACK}:{PORT}\r\n\r\n".encode()
CLOSED = "HTTP/1.1 401"  # what who has no permit is told


@dataclass(frozen=True)
class Registry:
    """One that serves: the certificate that it answers with, and the key, by which permits are made."""

    certificate: str
    _key: str = field(repr=False)

    def login(self, port: int, repository: str, *actions: str) -> dict[str, str]:
        """What an engine needs to do these things in one repository, as it reaches the registry."""
        token = permit(self.certificate, self._key, repository, *actions)
        return {"registrytoken": token, "serveraddress": f"{forward.LOOPBACK}:{port}"}


@contextlib.contextmanager
def serving(
    machine: Machine, client: docker.APIClient, wanted: Pull, tell: Tell
) -> Iterator[Registry]:
    """A registry on port PORT of the host's loopback; it goes with the run, even a killed one.

    Args:
        machine: the host.
        client: its engine.
        wanted: the registry's image, and how it is pulled where it is not there.
        tell: told how far it is.

    Raises:
        KitError: no registry is to be had; why.
    """
    image = wanted.image
    if not find(client, image):
        pull(client, wanted, tell)
    registry = Registry(*certificate.new())
    words = {"name": NAME, "port": PORT, "pem": PEM, "issuer": ISSUER, "image": shlex.quote(image)}
    pipe = machine.open(SERVE.format(**words))
    try:
        pipe.sendall(f"{registry.certificate}{registry._key}END\n".encode())
        if (answer := _line(pipe)) != "ready":
            raise KitError(f"{image} does not start: {answer or 'no word of why'}")
        _await(machine, client, registry.certificate)
        yield registry
    finally:
        with contextlib.suppress(OSError, EOFError):
            pipe.shutdown(socket.SHUT_WR)
            pipe.recv(1)  # until it has gone: it says nothing more
        pipe.close()


def _await(machine: Machine, client: docker.APIClient, known: str) -> None:
    """Wait until ours answers, not another program on that port, and lets nobody in."""
    deadline = monotonic() + PATIENCE
    while not (answer := _answer(machine, known)):
        state = client.inspect_container(NAME)["State"]
        if not state["Running"] or monotonic() > deadline:
            last = client.logs(NAME, tail=1).decode(errors="replace").strip()[:200]
            raise KitError(f"the registry does not answer on 127.0.0.1:{PORT}: {last}")
        sleep(0.05)
    if answer != CLOSED:
        raise KitError(f"the registry would let in anybody: {answer}")


def _answer(machine: Machine, known: str) -> str:
    """What ours says to who has no permit: the status's line; "" where it does not answer yet."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=known)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=forward.LOOPBACK)

    read = partial(tls.read, len(CLOSED))
    calls: tuple[Callable[[], object], ...] = (tls.do_handshake, partial(tls.write, REQUEST), read)
    answer: object = b""
    with (
        contextlib.suppress(OSError, EOFError),
        contextlib.closing(forward.dial(machine, PORT)) as pipe,
    ):
        for call in calls:
            while True:
                try:
                    answer = call()
                    break
                except ssl.SSLWantReadError:
                    pipe.sendall(outgoing.read())
                    if not (data := pipe.recv(4096)):
                        raise EOFError from None
                    incoming.write(data)
        return answer.decode(errors="replace") if isinstance(answer, bytes) else ""
    return ""


def _line(pipe: Pipe) -> str:
    line = b""
    while not line.endswith(b"\n") and len(line) < LONGEST and (data := pipe.recv(4096)):
        line += data
    return line.decode(errors="replace").strip()
