"""HTTP to the coordinator: tried again where the real program does, and cut at a stop.

By the standard library, since a poll that the server holds must end at once with the runner.
"""

import http.client
import json
import random
import socket
import ssl
import threading
import uuid
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from .. import log, version
from ..table import Table

NO_ANSWER = -1
ATTEMPTS = 5
FIRST_WAIT = 0.1
_RETRIED = {408, 429, 500, 502, 503, 504}
_TIMEOUT = 600.0


@dataclass(frozen=True)
class Answer:
    """A server's answer; a negative status stands for none, and `text` says why."""

    status: int
    text: str
    headers: Message = field(default_factory=Message)
    data: Table | None = None


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
            if connection.sock:
                try:
                    connection.sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    log.debug("request was over already")

    def call(
        self,
        method: str,
        uri: str,
        body: object,
        headers: dict[str, str],
        expect: int | None = None,
        held: bool = False,
    ) -> Answer:
        """Send; with `expect`, an answer of that status must carry JSON; `held` may be cut."""
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {
            "User-Agent": version.USER_AGENT,
            "X-Request-Id": uuid.uuid4().hex,
            "Content-Type": "application/json",
            **({"Accept": "application/json"} if expect else {}),
            **headers,
        }
        delay = FIRST_WAIT
        for attempt in range(1, ATTEMPTS + 1):
            answer = self._once(method, uri, payload, sent, held)
            retried = answer.status in _RETRIED or answer.status >= 512
            if not retried or attempt == ATTEMPTS:
                break
            wanted = answer.headers.get("Retry-After", "")
            wait = float(wanted) if wanted.isdigit() else random.uniform(delay / 2, delay)
            delay = min(delay * 2, 60)
            if self._stopping.wait(wait) and held:
                break
        if answer.status == expect and answer.data is None:
            kind = answer.headers.get("Content-Type", "")
            return Answer(NO_ANSWER, f"server should return application/json. Got: {kind}")
        return answer

    def _once(
        self, method: str, uri: str, payload: bytes, headers: dict[str, str], held: bool
    ) -> Answer:
        url = f"{self._base.geturl()}{uri}"
        failure = f'couldn\'t execute {method} against {url}: {method.title()} "{url}": '
        connection = self._connection()
        if held:
            self._held.add(connection)
        try:
            if held and self._stopping.is_set():
                return Answer(NO_ANSWER, failure + "context canceled")
            connection.request(method, f"{self._base.path}{uri}", payload, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            cut = held and self._stopping.is_set()
            return Answer(
                NO_ANSWER, failure + ("context canceled" if cut else _why(error, self._base))
            )
        finally:
            self._held.discard(connection)
            connection.close()
        data = _decoded(response.headers, content)
        text = f"{response.status} {response.reason}"
        if response.status >= 400:
            message = data.text("message") if data else ""
            extra = f" ({message})" if message not in ("", text) else ""
            text = f"{method} {url}: {text}{extra}"
        return Answer(response.status, text, response.headers, data)

    def _connection(self) -> http.client.HTTPConnection:
        host = self._base.hostname or ""
        if self._base.scheme == "http":
            return http.client.HTTPConnection(host, self._base.port, timeout=_TIMEOUT)
        context = ssl.create_default_context()
        if self._authority:
            context.load_verify_locations(self._authority)
        return http.client.HTTPSConnection(host, self._base.port, timeout=_TIMEOUT, context=context)


def _why(error: Exception, base: SplitResult) -> str:
    """The usual failures in the words of Go's net package."""
    address = f"{base.hostname}:{base.port or (443 if base.scheme == 'https' else 80)}"
    if isinstance(error, ConnectionRefusedError):
        return f"dial tcp {address}: connect: connection refused"
    if isinstance(error, socket.gaierror):
        return f"dial tcp: lookup {base.hostname}: no such host"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"tls: failed to verify certificate: x509: {error.verify_message}"
    return str(error) or type(error).__name__


def _decoded(headers: Message, content: bytes) -> Table | None:
    if headers.get_content_type() != "application/json":
        return None
    try:
        data = json.loads(content, object_hook=Table)
    except ValueError:
        return None
    return data if isinstance(data, Table) else Table()
