"""A coordinator with canned answers, for the stand-in runner's own tests."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Stub:
    """`answers` maps "POST /runners/verify" to (status, body); anything else is a 404."""

    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    requests: list[tuple[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    def called(self) -> list[str]:
        return [name for name, _ in self.requests]


@contextmanager
def stub(**answers: tuple[int, Any]) -> Iterator[Stub]:
    """Serves until the block ends; `verify=…`, `register=…` and the like name the calls."""
    names = {
        "verify": "POST /runners/verify",
        "register": "POST /runners",
        "unregister": "DELETE /runners",
        "unregister_manager": "DELETE /runners/managers",
        "request": "POST /jobs/request",
    }
    state = Stub({names[key]: answer for key, answer in answers.items()})

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            name = f"{self.command} {self.path.removeprefix('/api/v4')}"
            state.requests.append((name, json.loads(body)))
            state.headers.append(dict(self.headers))
            status, answer = state.answers.get(name, (404, {"message": "404 Not Found"}))
            sent = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.send_header("X-GitLab-Last-Update", "seen")
            self.end_headers()
            self.wfile.write(sent)

        do_POST = do_DELETE = do_PUT = do_PATCH = _answer

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
