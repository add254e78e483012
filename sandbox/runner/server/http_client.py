"""HTTP to the coordinator: tried again where the real program does, and cut at a stop.

By the standard library, since a poll that the server holds must end at once with the runner.
"""

import contextlib
import http.client
import json
import socket
import ssl
import threading
import uuid
from base64 import b64encode
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from urllib import request
from urllib.parse import unquote, urlsplit

from .. import version
from ..table import Table

NO_ANSWER = -1
ATTEMPTS = 5
FIRST_WAIT = 0.1
RETRIED = {408, 429, 500, 502, 503, 504}
TIMEOUT = 600.0


@dataclass(frozen=True)
class Answer:
    """A server's answer; a negative status stands for none, and `text` says why."""

    status: int
    text: str
    headers: Message = field(default_factory=Message)
    data: Table = field(default_factory=Table)


class Client:
    """One server as one runner sees it; `stop()` cuts requests that are held open."""

    def __init__(self, url: str, authority: str, certificates: Path) -> None:
        self._base = urlsplit(url.rstrip("/").removesuffix("/ci") + "/api/v4/")
        beside = certificates / f"{self._base.hostname}.crt"
        self._authority = authority or (str(beside) if beside.exists() else None)
        self._stopping = threading.Event()
        self._held: set[http.client.HTTPConnection] = set()

    def stop(self) -> None:
        self._stopping.set()
        for connection in list(self._held):
            if sock := connection.sock:
                with contextlib.suppress(OSError):  # the answer is there, and it was just closed
                    sock.shutdown(socket.SHUT_RDWR)

    def call(
        self, method: str, uri: str, body: object, headers: dict[str, str], held: bool = False
    ) -> Answer:
        """Send bytes as they are, anything else as JSON; what is `held` may be cut."""
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {
            "User-Agent": version.USER_AGENT,
            "X-Request-Id": uuid.uuid4().hex,
            "Content-Type": "application/json",
            **headers,
        }
        for attempt in range(ATTEMPTS):
            answer = self._once(method, uri, payload, headers, held)
            if answer.status not in RETRIED:
                break
            wanted = answer.headers.get("Retry-After", "")
            self._stopping.wait(float(wanted) if wanted.isdigit() else FIRST_WAIT * 2**attempt)
        return answer

    def _once(
        self, method: str, uri: str, payload: bytes, headers: dict[str, str], held: bool
    ) -> Answer:
        url = f"{self._base.geturl()}{uri}"
        connection = self._connection()
        try:
            connection.connect()
            if held:  # from here on a stop cuts it; one that came before is seen
                self._held.add(connection)
                if self._stopping.is_set():
                    return Answer(NO_ANSWER, "context canceled")
            connection.request(method, f"{self._base.path}{uri}", payload, headers)
            response = connection.getresponse()
            return _answer(f"{method} {url}", response, response.read())
        except (OSError, http.client.HTTPException) as error:
            why = "context canceled" if held and self._stopping.is_set() else self._why(error)
            return Answer(NO_ANSWER, f"couldn't execute {method} against {url}: {why}")
        finally:
            self._held.discard(connection)
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._base.hostname or "", self._base.port
        if self._base.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=TIMEOUT)
        context = ssl.create_default_context()
        if self._authority:
            context.load_verify_locations(self._authority)
        proxy = urlsplit(request.getproxies_environment().get("https", ""))
        if not proxy.hostname or request.proxy_bypass_environment(host):  # type: ignore[attr-defined]
            return http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=context)
        there = proxy.hostname, proxy.port or 80
        tunnel = http.client.HTTPSConnection(*there, timeout=TIMEOUT, context=context)
        words = f"{unquote(proxy.username or '')}:{unquote(proxy.password or '')}"
        login = {"Proxy-Authorization": f"Basic {b64encode(words.encode()).decode()}"}
        tunnel.set_tunnel(host, port, login if proxy.username else {})
        return tunnel

    def _why(self, error: Exception) -> str:
        """The usual failures in the words of Go's net package."""
        if isinstance(error, ConnectionRefusedError):
            return f"dial tcp {self._base.netloc}: connect: connection refused"
        if isinstance(error, socket.gaierror):
            return f"dial tcp: lookup {self._base.hostname}: no such host"
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"tls: failed to verify certificate: x509: {error.verify_message}"
        return str(error) or type(error).__name__


def _answer(request: str, response: http.client.HTTPResponse, content: bytes) -> Answer:
    """A success whose body is no JSON counts as none, as with the real program."""
    kind = response.headers.get_content_type()
    if kind != "application/json" and response.status in {200, 201}:
        return Answer(NO_ANSWER, f"server should return application/json. Got: {kind}")
    data = Table()
    if kind == "application/json" and content.startswith(b"{"):
        data = json.loads(content, object_hook=Table)
    text = f"{response.status} {response.reason}"
    if response.status >= 400:
        text = f"{request}: {text} ({data.text('message')})"
    return Answer(response.status, text, response.headers, data)
