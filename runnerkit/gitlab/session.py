"""HTTP with one GitLab: no answer sends a token elsewhere, fills the memory or lasts for ever."""

import io
import re
import time
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url
from urllib3.util.ssl_ import create_urllib3_context

from runnerkit.errors import KitError
from runnerkit.plan import Hint

LARGEST = 16 << 20  # bytes of an answer, unpacked
LONGEST = 60  # seconds for all of an answer, and between two
CHUNK = 1 << 16
PORTS = {"http": 80, "https": 443}
# What requests says of why it does not reach GitLab from this machine.
HINTS = (
    Hint(
        "not yet valid|has expired",
        "GitLab's certificate is out of its time: renew it there; unless this machine's clock is wrong",
    ),
    Hint(
        "(?i)hostname mismatch|doesn't match|is not valid for",
        "GitLab's certificate is for another name: write that one into [gitlab] url",
    ),
    Hint(
        "(?i)wrong.version.number|record layer",
        "it speaks no TLS: write http:// into [gitlab] url, or the port that does",
    ),
    Hint(
        "verify failed",
        "name the file of its CA in the settings: [network] ca_file",
    ),
    Hint("ProxyError", "correct HTTPS_PROXY on this machine, or name GitLab in NO_PROXY"),
    Hint("", "check the URL, DNS and proxy on this machine"),
)
Origin = tuple[str | None, str | None, int | None]


class Elsewhere(KitError):
    """GitLab names another server: by a redirect, or as the address of its next page."""


def session(url: str, ca: str) -> requests.Session:
    """A session that speaks to the server of that address and to no other.

    Redirects within the server are followed.

    Args:
        url: the address.
        ca: certificates, as PEM, that are trusted besides those that requests knows.
    """
    new = requests.Session()
    new.max_redirects = 5
    for scheme in PORTS:
        new.mount(f"{scheme}://", _OneServer(url, ca))
    return new


class _OneServer(HTTPAdapter):
    """Every request goes through here, those that a redirect makes too."""

    def __init__(self, url: str, ca: str) -> None:
        self._url, self._origin, self._ca = url, _origin(url), ca
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **{**options, **self._trusting()})

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        return super().proxy_manager_for(*args, **{**options, **self._trusting()})

    def _trusting(self) -> Any:
        """What requests itself trusts comes to the context's."""
        if not self._ca:
            return {}
        context = create_urllib3_context()
        context.load_verify_locations(cadata=self._ca)
        return {"ssl_context": context}

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> Any:
        there = _origin(request.url or "")
        if there != self._origin:
            raise Elsewhere(
                f"{self._url} sends us elsewhere, to {'{}://{}:{}'.format(*there)[:200]}; nothing was sent there",
                "if that is your GitLab's address, write it as [gitlab] url, or give it as --url",
            )
        answer = super().send(request, *args, **{**options, "stream": True})
        answer.raw = io.BytesIO(self._body(answer.raw))
        pause = answer.headers.get("Retry-After", "")
        if not re.fullmatch("[0-9]{1,3}", pause) or int(pause) > LONGEST:
            answer.headers.pop("Retry-After", None)
        answer.headers.pop("RateLimit-Reset", None)  # a time, by GitLab's clock
        return answer

    def _body(self, raw: HTTPResponse) -> bytes:
        body, end = bytearray(), time.monotonic() + LONGEST
        try:
            while chunk := raw.read1(CHUNK, decode_content=True):
                body += chunk
                if len(body) > LARGEST or time.monotonic() > end:
                    raise KitError(
                        f"{self._url} answers without end: more than {LARGEST >> 20} MB or {LONGEST} s",
                        "see that it is GitLab's address, and how GitLab fares",
                    )
        except HTTPError as error:
            raise requests.ConnectionError(error) from None
        finally:
            raw.close()
        return bytes(body)


def _origin(url: str) -> Origin:
    """Scheme, host and port, read as the connection itself reads them."""
    parts = parse_url(url)
    scheme = (parts.scheme or "").lower()
    return scheme, (parts.host or "").lower(), parts.port or PORTS.get(scheme)


def unreachable(url: str, error: requests.RequestException) -> KitError:
    """Why GitLab cannot be reached from this machine."""
    known = next(one for one in HINTS if re.search(one.pattern, f"{error!r}"))
    reasons = re.findall(r"(?:\[Errno -?\d+\]|verify failed:) ([\w -]*\w)", str(error))
    why = reasons[-1] if reasons else type(error).__name__
    return KitError(f"{url} cannot be reached from here: {why}", known.fix)
