"""The HTTP side: reads a request to its end, finds who answers it, and writes the answer.

By the standard library: a poll that is held must notice that its client hung up, and a test may
order that an answer is lost.
"""

import contextlib
import dataclasses
import select
import socket
import socketserver
import sys
import threading
import traceback
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self, cast

from sandbox.gitlab.http import routes
from sandbox.gitlab.http.params import BadParameter
from sandbox.gitlab.http.routes import Route
from sandbox.gitlab.http.web import Refusal, Request, Response
from sandbox.gitlab.state import State


class Server(ThreadingHTTPServer):
    """Answers inside a `with` block."""

    request_queue_size = 128

    def __init__(self, listen: tuple[str, int], routes: Sequence[Route]) -> None:
        super().__init__(listen, Handler)
        self.state: State
        self.routes = routes
        self._loop = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._loop.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def server_bind(self) -> None:
        """Bind without asking DNS for a name of the address, which can take many seconds."""
        socketserver.TCPServer.server_bind(self)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "MiniGitLab"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer any method the same way."""
        server = cast(Server, self.server)
        with contextlib.suppress(ConnectionError):
            self._write(_answer(server.state, server.routes, self._read()))

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _read(self) -> Request:
        path, _, query = self.path.partition("?")
        return Request(
            method=self.command,
            path=path,
            query=query,
            headers=self.headers,
            body=self.rfile.read(int(self.headers.get("Content-Length", 0))),
            peer=self.client_address[0],
            alive=self._alive,
        )

    def _alive(self) -> bool:
        """Whether the client still listens: after a hang-up the socket reads as empty."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        return not readable or bool(self.connection.recv(1, socket.MSG_PEEK))

    def _write(self, response: Response) -> None:
        if response.status == 0:
            self.close_connection = True
            return
        body = b"" if response.status == 204 else response.encoded()
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status != 204:
            self.send_header("Content-Type", response.kind)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """One line a request, without its query: a token may stand there."""
        path = getattr(self, "path", "").partition("?")[0]
        status = args[1] if len(args) > 1 else "-"
        # One write, so that lines of two threads do not run into each other.
        sys.stderr.write(f"{self.client_address[0]} {self.command} {path} {status}\n")


def _answer(state: State, known: Sequence[Route], request: Request) -> Response:
    """Whatever happens, an answer."""
    try:
        return _dispatch(state, known, request)
    except Refusal as refusal:
        return refusal.response
    except BadParameter as error:
        return Response(400, {"error": str(error)})
    except Exception:
        traceback.print_exc()
        return Response(500, {"message": "500 Internal Server Error"})


def _dispatch(state: State, known: Sequence[Route], request: Request) -> Response:
    found = routes.find(known, request.method, request.path)
    if found is None:
        return Response(404, {"error": "404 Not Found"})
    route, args = found
    named = dataclasses.replace(request, args=args)
    with state.changed:
        if request.path.startswith("/sandbox/"):
            return route.handler(state, named)
        state.requests[route.endpoint] += 1
        fault = state.take_fault(route.endpoint)
        if fault is None:
            return route.handler(state, named)
        if fault.after:
            route.handler(state, named)
        return Response(fault.status, {"message": f"{fault.status} ordered by the sandbox"})
