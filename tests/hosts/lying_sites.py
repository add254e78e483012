"""Package sites that are one server: what each name gets is said in /lies/ways.json, anew at any time.

Runs on the sandbox's host `sites`; needs Python alone.
"""

import http.server
import json
import socket
import ssl
import struct
import time
from pathlib import Path

LIES = Path("/lies")
TRICKLE = 20_000  # bytes a second
RESET = struct.pack("ii", 1, 0)


class Site(http.server.BaseHTTPRequestHandler):
    """One request; its way is its name's."""

    def do_GET(self) -> None:
        name = str(self.headers.get("Host", ""))
        way = json.loads((LIES / "ways.json").read_text()).get(name, "reset")
        package = "/pool/" in self.path
        with (LIES / "asked").open("a") as file:
            file.write(f"{name} {self.path}\n")
        if way == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.connection.shutdown(socket.SHUT_RD)
            self.close_connection = True
        elif way == "hangs" or (way == "hangs later" and package):
            time.sleep(600)
        elif way == "portal":
            self.answer(b"<html>log in</html>")
        elif way == "no packages" and package:
            self.send_error(404)
        else:
            time.sleep(way == "slow")
            self.serve(way, package)

    def serve(self, way: str, package: bool) -> None:
        root = LIES / way if (LIES / way).exists() else Path("/site/linux")
        file = root / self.path.split("/linux/")[-1]
        if not file.is_file():
            self.send_error(404)
            return
        self.answer(file.read_bytes(), TRICKLE if way == "trickles" and package else 0)

    def answer(self, data: bytes, speed: int = 0) -> None:
        first, _, last = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        part = data[int(first) : int(last) + 1 if last else len(data)]
        self.send_response(200 if len(part) == len(data) else 206)
        self.send_header("Content-Length", str(len(part)))
        if len(part) != len(data):
            self.send_header(
                "Content-Range", f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}"
            )
        self.end_headers()
        step = speed // 10 or len(part) or 1
        for start in range(0, len(part), step):
            self.wfile.write(part[start : start + step])
            time.sleep(0.1 if speed else 0)


if __name__ == "__main__":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/site/names.crt", "/lies/key.pem")
    server = http.server.ThreadingHTTPServer(("", 443), Site)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    server.serve_forever()
