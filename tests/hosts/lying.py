"""Mirrors that lie: small proxies before the sandbox's real registry, each with one fault."""

import hashlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

DIRECT = build_opener(ProxyHandler({}))
FORWARDED = ("Accept", "Range")
# By the fault: the word that the mirror gets.
LIES = {
    "honest": "good",
    "allowlist": "allowlist",
    "absent": "no such image",
    "stale": "stale",
    "forged": "stale",
    "quota": "quota",
    "crawls": "slow",
    "token": "no token service",
    "hangs": "dead",
    "resets": "dead",
    "cut": "dead",
    "page": "dead",
    "blocked": "dead",
    "other": "dead",
}
HTML = b"<html>welcome</html>"


class Lying(BaseHTTPRequestHandler):
    """Hands on what the registry says, but for its fault."""

    lie, registry = "", ""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        manifest, blob = "/manifests/" in self.path, "/blobs/" in self.path
        if self.lie == "other":
            self._send(200 if self.path == "/v2/" else 404, {"Content-Type": "text/html"}, HTML)
        elif self.lie == "hangs":
            time.sleep(15)
        elif self.lie == "resets" and self.path != "/v2/":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.connection.close()
        elif self.lie == "token":
            realm = 'Bearer realm="http://127.0.0.1:1/token",service="x"'
            self._send(401, {"WWW-Authenticate": realm}, b"{}")
        elif self.lie == "quota" and manifest:
            self._send(402, {}, b'{"message": "the quota of this month is used up"}')
        elif self.lie == "allowlist" and blob:
            self._send(403, {}, b'{"errors": [{"message": "this image is not in the allowlist"}]}')
        elif self.lie == "absent" and manifest:
            self._send(404, {}, b"{}")
        elif self.lie == "page" and manifest:
            self._send(200, {"Content-Type": "text/html"}, HTML)
        elif self.lie == "blocked" and blob:
            self._send(307, {"Location": "http://127.0.0.1:1/layer"}, b"")
        else:
            self._handed_on(manifest, blob)

    def _handed_on(self, manifest: bool, blob: bool) -> None:
        heads = {name: ", ".join(self.headers.get_all(name, [])) for name in FORWARDED}
        heads = {name: value for name, value in heads.items() if value}
        try:
            with DIRECT.open(Request(self.registry + self.path, headers=heads), timeout=20) as got:
                status, known, body = got.status, dict(got.headers), got.read()
        except HTTPError as error:
            status, known, body = error.code, dict(error.headers), error.read()
        sent = {k: v for k, v in known.items() if k in ("Content-Type", "Docker-Content-Digest")}
        if self.lie == "stale" and manifest:
            body = json.dumps({**json.loads(body), "annotations": {"of": "last year"}}).encode()
            sent["Docker-Content-Digest"] = f"sha256:{hashlib.sha256(body).hexdigest()}"
        if self.lie == "forged" and manifest:
            body += b"\n"
        slow = self.lie == "crawls" and blob
        self._send(status, sent, body, pieces=40 if slow else 1, cut=self.lie == "cut" and blob)

    def _send(
        self, status: int, heads: dict[str, str], body: bytes, pieces: int = 1, cut: bool = False
    ) -> None:
        self.send_response(status)
        for name, value in {**heads, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        for number in range(pieces):
            if pieces > 1:
                time.sleep(0.1)
                self.wfile.write(body[number * 1000 : (number + 1) * 1000])
            else:
                self.wfile.write(body[: len(body) // 2] if cut else body)

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:  # who asked has gone
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        return


@contextmanager
def mirrors(address: str, registry: str, *lies: str) -> Iterator[dict[str, str]]:
    """A mirror for each fault; their addresses.

    Args:
        address: where they listen.
        registry: the real one behind them.
        lies: the faults.
    """
    with ExitStack() as stack:
        yield {
            lie: stack.enter_context(
                listening(address, type("One", (Lying,), {"lie": lie, "registry": registry}))
            )
            for lie in lies
        }


@contextmanager
def listening(
    address: str, kind: type[BaseHTTPRequestHandler], secure: tuple[str, str] | None = None
) -> Iterator[str]:
    """A server on this machine; its URL.

    Args:
        address: where it listens.
        kind: what answers.
        secure: the files of its certificate and key.
    """
    server = ThreadingHTTPServer((address, 0), kind)
    server.daemon_threads = True
    if secure:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*secure)
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"{'https' if secure else 'http'}://{address}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.socket.close()
