"""BuildKit behind the Engine's API: what its trace tells, and the session that gives it secrets.

The messages are few and their numbers fixed, so they are read here by hand: moby/buildkit,
api/services/control/control.proto and session/secrets/secrets.proto.
"""

import asyncio
import base64
import logging
import socket
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runnerkit.engine import protobuf
from runnerkit.errors import KitError
from runnerkit.machine.machine import Machine
from runnerkit.machine.streams import Pipe, end
from runnerkit.settings.secrets import Secret

if TYPE_CHECKING:
    from grpclib.server import Stream

HEALTH = "/grpc.health.v1.Health/Check"
SECRET = "/moby.buildkit.secrets.v1.Secrets/GetSecret"
SERVING = b"\x08\x01"
HEAD = 1 << 16  # bytes of an answer's head


@dataclass(frozen=True)
class Status:
    """One thing of a trace: a step that began or failed, or a piece of one stream of its output."""

    vertex: str
    name: str = ""
    text: bytes = b""
    stream: int = 1
    error: str = ""


def trace(aux: str) -> Iterator[Status]:
    """Read one ``moby.buildkit.trace`` event: a StatusResponse."""
    for number, body in protobuf.fields(base64.b64decode(aux)):
        fields = dict(protobuf.fields(body)) if isinstance(body, bytes) else {}
        if number == 1 and 5 in fields:  # a vertex that has started
            yield Status(
                protobuf.text(fields, 1),
                name=protobuf.text(fields, 3),
                error=protobuf.text(fields, 7),
            )
        elif number == 3:
            yield Status(
                protobuf.text(fields, 1),
                text=protobuf.data(fields, 4),
                stream=protobuf.integer(fields, 3),
            )


@contextmanager
def session(machine: Machine, version: str, secrets: Mapping[str, Secret]) -> Iterator[str]:
    """A session of the Engine, over the same door, in which a build may ask for these secrets.

    They are sent when a step asks for them, and are never in a file or an argument.

    Yields:
        The session's id, for the build's ``session`` parameter.
    """
    number = uuid.uuid4().hex
    head = [
        *(f"POST /v{version}/session HTTP/1.1", "Host: docker"),
        *("Connection: Upgrade", "Upgrade: h2c"),
        f"X-Docker-Expose-Session-Uuid: {number}",
        *("X-Docker-Expose-Session-Name: runnerkit", "X-Docker-Expose-Session-Sharedkey: "),
        *(f"X-Docker-Expose-Session-Grpc-Method: {name}" for name in (HEALTH, SECRET)),
    ]
    pipe = machine.open("exec docker system dial-stdio")
    pipe.sendall("".join(f"{line}\r\n" for line in [*head, ""]).encode())
    answer = bytearray()
    while not answer.endswith(b"\r\n\r\n") and len(answer) < HEAD:
        if not (byte := pipe.recv(1)):
            raise EOFError
        answer += byte
    if not answer.startswith(b"HTTP/1.1 101") or len(answer) >= HEAD:
        raise KitError(
            "the Docker engine gives no session for secrets", "upgrade it, or build without"
        )
    ours, theirs = socket.socketpair()
    threads = [
        threading.Thread(target=_pump, args=(pipe, theirs), daemon=True),
        threading.Thread(target=_pump, args=(theirs, pipe), daemon=True),
        threading.Thread(target=lambda: asyncio.run(_serve(ours, secrets)), daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        yield number
    finally:
        theirs.shutdown(socket.SHUT_RDWR)
        end(pipe)
        for thread in threads:
            thread.join(5)
        theirs.close()


# Of a peer that speaks otherwise: the build itself fails, in words.
for library in ("asyncio", "grpclib"):
    logging.getLogger(library).setLevel(logging.CRITICAL)


async def _serve(sock: socket.socket, secrets: Mapping[str, Secret]) -> None:
    from grpclib.const import Cardinality, Handler
    from grpclib.encoding.base import CodecBase
    from grpclib.server import Server

    class Bytes(CodecBase):
        __content_subtype__ = "proto"

        def encode(self, message: bytes, _: Any) -> bytes:
            return message

        def decode(self, data: bytes, _: Any) -> bytes:
            return data

    async def health(stream: "Stream[bytes, bytes]") -> None:
        await stream.recv_message()
        await stream.send_message(SERVING)

    async def secret(stream: "Stream[bytes, bytes]") -> None:
        from grpclib import GRPCError, Status

        asked = await stream.recv_message() or b""
        name = protobuf.text(dict(protobuf.fields(asked)), 1)
        if name not in secrets:
            raise GRPCError(Status.NOT_FOUND, f"secret {name} not found")
        await stream.send_message(protobuf.field(1, secrets[name].reveal().encode()))

    class Methods:
        def __mapping__(self) -> dict[str, Handler]:
            kind = Cardinality.UNARY_UNARY
            return {
                HEALTH: Handler(health, kind, bytes, bytes),
                SECRET: Handler(secret, kind, bytes, bytes),
            }

    gone = asyncio.Event()
    server = Server([Methods()], codec=Bytes())
    protocol = server._protocol_factory()
    lost = protocol.connection_lost

    def connection_lost(error: BaseException | None) -> None:
        lost(error)
        gone.set()

    protocol.connection_lost = connection_lost  # type: ignore[method-assign,assignment]
    await asyncio.get_running_loop().create_connection(lambda: protocol, sock=sock)
    await gone.wait()


def _pump(source: Pipe, target: Pipe) -> None:
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
    except OSError:
        pass
