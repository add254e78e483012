"""HTTP that we speak and a host carries: by its DNS and its way out, whatever tools it has.

The bytes go through a channel of the SSH connection, so that a blank host needs neither curl nor Python.
"""

import contextlib
import http.client
import re
import shlex
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util.ssltransport import SSLTransport

from runnerkit.errors import KitError
from runnerkit.machine import forward, forward_proxy, tunnel
from runnerkit.machine.machine import Machine
from runnerkit.machine.streams import Pipe
from runnerkit.printable import clipped

LARGEST = 4 << 20  # bytes of an answer that are read
PORTS = {"http": 80, "https": 443}


class Trouble(Exception):
    """Nothing came back that speaks HTTP.

    `kind` is where it ended: "name", "connection", "certificate", "silence" or "nonsense".
    """

    def __init__(self, kind: str, why: str = "") -> None:
        super().__init__(f"{kind}: {why}")
        self.kind, self.why = kind, clipped(why).strip()


@dataclass(frozen=True)
class Exchange:
    """An answer: its status, its heads in small letters (of several alike, a line each), the beginning of
    its body, and its time in s."""

    status: int
    heads: Mapping[str, str]
    body: bytes
    seconds: float


@dataclass
class Route:
    """The way from a host to servers.

    Args:
        machine: the host.
        names: the addresses of names that it knows; others are asked for, and noted.
        trusted: certificates that it trusts besides, by the server's name ("" for any).
        patience: seconds that one step takes at most.
        through: the proxy by which an address is reached; "" for none.
        checks: whether a server's certificate must be trusted.
        looking: held while the host is asked for a name.
    """

    machine: Machine
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    trusted: Mapping[str, str] = field(default_factory=dict)
    patience: float = 3.0
    through: Callable[[str], str] = lambda _: ""
    checks: bool = True
    looking: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def trusting(self, certificates: str, checks: bool = True) -> "Route":
        """The same way, with other certificates that are trusted besides; or any, unless it checks."""
        return replace(self, trusted={"": certificates}, checks=checks)

    def ask(
        self, url: str, heads: Mapping[str, str] | None = None, sample: int = 0, method: str = "GET"
    ) -> Exchange:
        """Ask an address; redirects are not followed.

        Args:
            url: the address.
            heads: what is sent besides.
            sample: bytes of the body that are enough, or as many as come within `patience`; 0 for all.
            method: GET or HEAD.

        Raises:
            Trouble: no answer came.
            NoForwarding: the host's sshd carries nothing.
        """
        with _named():
            parts, begun = urlsplit(url), time.monotonic()
            if parts.scheme not in PORTS:
                raise Trouble(
                    "nonsense", f"{parts.scheme or 'nothing'}:// is no address of a server"
                )
            host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
            path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
            secure, proxy = parts.scheme == "https", urlsplit(self.through(url))
            heads = {"User-Agent": "runnerkit", **(heads or {})}
            if proxy.hostname and not secure:
                path, heads = (
                    f"http://{parts.netloc}{path}",
                    {**heads, **forward_proxy.login(proxy)},
                )
            first = (proxy.hostname, proxy.port or PORTS[proxy.scheme]) if proxy.hostname else ()
            with self._connected(*(first or (host, port))) as plain:
                by_tls = proxy.hostname and proxy.scheme == "https"
                line = self._secured(plain, proxy.hostname or "") if by_tls else plain
                if proxy.hostname and secure:
                    forward_proxy.connect(line, host, port, proxy)
                connection = http.client.HTTPConnection(host, port, timeout=self.patience)
                connection.sock = self._secured(line, host, self.checks) if secure else line
                connection.request(method, path, headers=heads)
                answer = connection.getresponse()
                body = _first(answer, sample, self.patience) if sample else answer.read(LARGEST)
                every = answer.headers
                known = {name.lower(): "\n".join(every.get_all(name, ())) for name in every}
                return Exchange(answer.status, known, body, time.monotonic() - begun)

    @contextlib.contextmanager
    def _connected(self, host: str, port: int) -> Iterator[socket.socket]:
        """A socket whose other end is a channel from the host to that server."""
        pipe = self._dialled(host, port)
        near, ours = socket.socketpair()
        door = tunnel.Door(lambda: pipe)
        ours.settimeout(self.patience)
        door.answer(near)
        try:
            yield ours
        finally:
            ours.close()
            door.close()

    def _dialled(self, host: str, port: int) -> Pipe:
        """By one address or the next: a host may have IPv6, and no way by it."""
        failure = Trouble("name", f"{host} has no address there")
        for address in self._addresses(host)[:2]:
            try:
                return forward.dial(self.machine, port, address, self.patience)
            except TimeoutError:
                failure = Trouble("silence", f"{address} does not answer")
            except OSError as error:
                failure = Trouble("connection", error.strerror or str(error))
        raise failure

    def _addresses(self, host: str) -> tuple[str, ...]:
        """As the host knows them: an SSH server that looks up a name by itself stands still meanwhile."""
        if re.fullmatch(r"[\d.]+|[0-9a-fA-F:]+", host):
            return (host,)
        with self.looking:  # sshd lets a connection have ten commands at a time
            if host not in self.names:
                script = f"timeout 2 getent ahosts {shlex.quote(host)} | awk '{{print $1}}'; :"
                with contextlib.suppress(KitError):
                    self.names[host] = tuple(self.machine.run(script).split())
            return self.names.get(host, ())

    def _secured(self, line: socket.socket, host: str, checks: bool = True) -> socket.socket:
        # As programs bring them, and not what this machine trusts besides.
        context = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
        for name in ("", host):
            with contextlib.suppress(ssl.SSLError):
                text = self.trusted.get(name, "").encode("ascii", "ignore").decode()  # no comments
                if text.strip():
                    context.load_verify_locations(cadata=text)
        if not checks:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if isinstance(line, ssl.SSLSocket):  # within a proxy's own, which it cannot do itself
            return SSLTransport(line, context, host)  # type: ignore[return-value]
        return context.wrap_socket(line, server_hostname=host)


def _first(answer: http.client.HTTPResponse, most: int, seconds: float) -> bytes:
    """The beginning of a body, however slowly it comes."""
    body, end = bytearray(), time.monotonic() + seconds
    while len(body) < most and time.monotonic() < end:
        if not (piece := answer.read1(most - len(body))):
            break
        body += piece
    return bytes(body)


@contextlib.contextmanager
def _named() -> Iterator[None]:
    """What Python raises of a connection, as where it ended."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise Trouble("certificate", error.verify_message or str(error)) from None
    except TimeoutError:
        raise Trouble("silence") from None
    except ssl.SSLError as error:
        raise Trouble("nonsense", error.reason or str(error)) from None
    except (OSError, EOFError) as error:
        raise Trouble("connection", str(error)) from None
    except (http.client.HTTPException, ValueError) as error:
        raise Trouble("nonsense", type(error).__name__) from None
