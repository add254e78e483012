"""HTTP to the coordinator with the standard library: retries, certificates, cancelling."""

import email.message
import http.client
import json
import random
import socket
import ssl
import threading
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from . import log, version

NO_ANSWER = -1
CLIENT_ERROR = -100
ATTEMPTS = 5
FIRST_WAIT = 0.1
_RETRIED = {408, 429, 500, 502, 503, 504}
_TIMEOUT = 600.0


@dataclass(frozen=True)
class Credentials:
    url: str
    token: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""


@dataclass(frozen=True)
class Answer:
    """A server's answer; a negative status stands for none, and `text` says why."""

    status: int
    text: str
    headers: email.message.Message = field(default_factory=email.message.Message)
    data: Any = None


def base_url(url: str) -> str:
    return url.rstrip("/").removesuffix("/ci") + "/api/v4/"


class Client:
    """One server as one runner sees it; `stop()` cuts requests that are held open."""

    def __init__(self, credentials: Credentials, certificates: Path) -> None:
        self.credentials = credentials
        self._base = urlsplit(base_url(credentials.url))
        self._certificates = certificates
        self._stopping = threading.Event()
        self._open: set[http.client.HTTPConnection] = set()

    def stop(self) -> None:
        self._stopping.set()
        for connection in list(self._open):
            if connection.sock:
                try:
                    connection.sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    log.debug("request was over already")

    def call(
        self,
        method: str,
        uri: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        expect: int | None = None,
        cancellable: bool = False,
    ) -> Answer:
        """Send; with `expect`, an answer of that status must carry JSON."""
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {
            "User-Agent": version.user_agent(),
            "X-Request-Id": uuid.uuid4().hex,
            "Content-Type": "application/json",
            **({"Accept": "application/json"} if expect else {}),
            **(headers or {}),
        }
        answer = self._retrying(method, uri, payload, sent, cancellable)
        if answer.status == expect and not isinstance(answer.data, dict):
            kind = answer.headers.get("Content-Type", "")
            return Answer(
                NO_ANSWER, f"server should return application/json. Got: {kind}", answer.headers
            )
        return answer

    def _retrying(
        self, method: str, uri: str, payload: bytes, headers: dict[str, str], cancellable: bool
    ) -> Answer:
        delay = FIRST_WAIT
        for attempt in range(1, ATTEMPTS + 1):
            answer = self._once(method, uri, payload, headers, cancellable)
            retried = answer.status in _RETRIED or answer.status >= 512
            if not retried or attempt == ATTEMPTS:
                break
            wanted = answer.headers.get("Retry-After", "")
            wait = float(wanted) if wanted.isdigit() else random.uniform(delay / 2, delay)
            delay = min(delay * 2, 60)
            if self._stopping.wait(wait) and cancellable:
                break
        return answer

    def _once(
        self, method: str, uri: str, payload: bytes, headers: dict[str, str], cancellable: bool
    ) -> Answer:
        url = f"{self._base.geturl()}{uri}"
        failure = f'couldn\'t execute {method} against {url}: {method.title()} "{url}": '
        try:
            connection = self._connect()
        except (OSError, ValueError) as error:
            return Answer(CLIENT_ERROR, str(error))
        if cancellable:
            self._open.add(connection)
        try:
            if cancellable and self._stopping.is_set():
                return Answer(NO_ANSWER, failure + "context canceled")
            connection.request(method, f"{self._base.path}{uri}", payload, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            cancelled = cancellable and self._stopping.is_set()
            return Answer(
                NO_ANSWER,
                failure + ("context canceled" if cancelled else _why(error, self._base)),
            )
        finally:
            self._open.discard(connection)
            connection.close()
        data = _decode(response.headers, content)
        text = f"{response.status} {response.reason}"
        if response.status >= 400 and isinstance(data, dict):
            message = _message(data.get("message", ""))
            extra = f" ({message})" if message and message != text else ""
            text = f"{method} {url}: {text}{extra}"
        return Answer(response.status, text, response.headers, data)

    def _connect(self) -> http.client.HTTPConnection:
        if self._base.scheme not in {"http", "https"} or not self._base.hostname:
            raise ValueError("only http or https scheme supported")
        if self._base.scheme == "http":
            return http.client.HTTPConnection(
                self._base.hostname, self._base.port, timeout=_TIMEOUT
            )
        return http.client.HTTPSConnection(
            self._base.hostname, self._base.port, timeout=_TIMEOUT, context=self._tls()
        )

    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if authority := self._find(self.credentials.ca_file, ".crt"):
            context.load_verify_locations(authority)
        certificate = self._find(self.credentials.cert_file, ".auth.crt")
        key = self._find(self.credentials.key_file, ".auth.key")
        if certificate and key:
            context.load_cert_chain(certificate, key)
        return context

    def _find(self, configured: str, suffix: str) -> str:
        beside = self._certificates / f"{self._base.hostname}{suffix}"
        return configured or (str(beside) if beside.exists() else "")


def _why(error: Exception, base: Any) -> str:
    """The usual failures in the words of Go's net package."""
    address = f"{base.hostname}:{base.port or (443 if base.scheme == 'https' else 80)}"
    if isinstance(error, ConnectionRefusedError):
        return f"dial tcp {address}: connect: connection refused"
    if isinstance(error, socket.gaierror):
        return f"dial tcp: lookup {base.hostname}: no such host"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"tls: failed to verify certificate: x509: {error.verify_message}"
    return str(error) or type(error).__name__


def _message(message: Any) -> str:
    """Plain text, or `{"field": ["reason", …]}` flattened."""
    if isinstance(message, dict):
        return ", ".join(f"{key}: {'; '.join(map(str, why))}" for key, why in message.items())
    return str(message)


def _decode(headers: email.message.Message, content: bytes) -> Any:
    if headers.get_content_type() != "application/json":
        return None
    try:
        return json.loads(content)
    except ValueError:
        return None
