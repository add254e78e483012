"""The HTTP side: reads a request to its end, finds who answers it, and writes the answer."""

import contextlib
import dataclasses
import select
import socket
import socketserver
import sys
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self, cast

from sandbox.gitlab import routes
from sandbox.gitlab.params import BadParameter
from sandbox.gitlab.web import Refusal, Request, Response
from sandbox.gitlab.world import World

DRAIN_SECONDS = 2.0


class Server(ThreadingHTTPServer):
    """Listens, and ends every connection when it is closed."""

    request_queue_size = 128

    def __init__(self, listen: tuple[str, int]) -> None:
        super().__init__(listen, Handler)
        self.world: World
        self._open: set[socket.socket] = set()
        self._loop = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where clients find this server."""
        return self.world.url

    def __enter__(self) -> Self:
        self._loop.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.world.close()
        self.shutdown()
        self.world.drain(DRAIN_SECONDS)
        self.server_close()
        for connection in tuple(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def server_bind(self) -> None:
        """Bind without asking DNS for a name of the address, which can take many seconds."""
        socketserver.TCPServer.server_bind(self)

    def process_request(self, request: socket.socket, client_address: tuple[str, int]) -> None:  # type: ignore[override]
        """Remember the connection while it lasts."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        """Forget it."""
        self._open.discard(request)
        super().shutdown_request(request)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "MiniGitLab"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer any method the same way."""
        world = cast(Server, self.server).world
        with world.answering(), contextlib.suppress(ConnectionError):
            self._write(_answer(world, self._read()))

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _read(self) -> Request:
        path, _, query = self.path.partition("?")
        return Request(
            method=self.command,
            path=path,
            query=query,
            headers=self.headers,
            body=self._body(),
            peer=self.client_address[0],
            alive=self._alive,
        )

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(chunks)

    def _alive(self) -> bool:
        """Whether the client still listens: after a hang-up the socket reads as empty."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        return not readable or bool(self.connection.recv(1, socket.MSG_PEEK))

    def _write(self, response: Response) -> None:
        if response.status == 0:
            self.close_connection = True
            return
        body, kind = response.encoded() if response.status != 204 else (b"", "")
        self.send_response(response.status)
        for name, value in response.headers.items():
            if name != "Content-Type":
                self.send_header(name, value)
        if response.status != 204:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """One line a request, without its query: a token may stand there."""
        path = getattr(self, "path", "").partition("?")[0]
        status = args[1] if len(args) > 1 else "-"
        # One write, so that lines of two threads do not run into each other.
        sys.stderr.write(f"{self.client_address[0]} {self.command} {path} {status}\n")


def _answer(world: World, request: Request) -> Response:
    """Whatever happens, an answer."""
    try:
        return _dispatch(world, request)
    except Refusal as refusal:
        return refusal.response
    except BadParameter as error:
        return Response(400, {"error": str(error)})
    except Exception:
        traceback.print_exc()
        return Response(500, {"message": "500 Internal Server Error"})


def _dispatch(world: World, request: Request) -> Response:
    found = routes.find(request.method, request.path)
    if found is None:
        return Response(404, {"error": "404 Not Found"})
    known, args = found
    asked = dataclasses.replace(request, args=args)
    with world.changed:
        if request.path.startswith("/sandbox/"):
            return known.handler(world, asked)
        world.requests[known.endpoint] += 1
        fault = world.take_fault(known.endpoint)
        if fault and not fault.after:
            return _failure(fault.status)
        response = known.handler(world, asked)
        return _failure(fault.status) if fault else response


def _failure(status: int) -> Response:
    return Response(status, {"message": f"{status} ordered by the sandbox"})
