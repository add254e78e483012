"""What goes around a proxy, as Go's programs read NO_PROXY: dockerd, the manager, its helper.

Source: golang.org/x/net/http/httpproxy.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
PORTS = {"http": 80, "https": 443}


def passed_by(url: str, words: Iterable[str]) -> bool:
    """Whether an address is reached without the proxy.

    Args:
        url: the address, of http or https.
        words: what NO_PROXY names.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower().strip()
    port = str(parts.port or PORTS.get(parts.scheme, 0) or "")
    known = _address(host)
    if host == "localhost" or (known and known.is_loopback):
        return True
    return any(_fits(word, host, port, known) for word in map(str.strip, words) if word)


def _fits(word: str, host: str, port: str, known: Address | None) -> bool:
    word = word.lower()
    if word == "*":
        return True
    if "/" in word:
        with suppress(ValueError):
            return known is not None and known in ip_network(word, strict=False)
    name, of = word, ""
    if found := re.fullmatch(r"(?:\[([^\]]*)\]|([^:\[\]]*)):(\d*)", word):
        name, of = found[1] or found[2] or "", found[3]
    if not name or (of and of != port):
        return False
    if address := _address(name):
        return address == known
    name = name.removeprefix("*") if name.startswith("*.") else name
    return host.endswith(name) if name.startswith(".") else f".{host}".endswith(f".{name}")


def _address(text: str) -> Address | None:
    with suppress(ValueError):
        return ip_address(text)
    return None
