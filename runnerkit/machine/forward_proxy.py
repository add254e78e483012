"""A forward proxy as its clients speak to it."""

import base64
import re
import socket
from urllib.parse import SplitResult, unquote


def login(proxy: SplitResult) -> dict[str, str]:
    """The head that logs in, where the address has a user."""
    words = f"{unquote(proxy.username or '')}:{unquote(proxy.password or '')}"
    login = base64.b64encode(words.encode()).decode()
    return {"Proxy-Authorization": f"Basic {login}"} if proxy.username else {}


def connect(plain: socket.socket, host: str, port: int, proxy: SplitResult) -> None:
    """Have the proxy connect to a server (RFC 9110, 9.3.6).

    Raises:
        ConnectionError: it does not.
    """
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    heads = {"Host": place, **login(proxy)}
    lines = [f"CONNECT {place} HTTP/1.1", *(f"{name}: {one}" for name, one in heads.items())]
    plain.sendall("\r\n".join([*lines, "", ""]).encode())
    answer = b""
    while b"\r\n\r\n" not in answer and len(answer) < 1 << 16:
        piece = plain.recv(1)  # what follows is the server's
        if not piece:
            raise ConnectionError("the proxy hangs up")
        answer += piece
    first = answer.partition(b"\r\n")[0].decode(errors="replace")
    if not re.match(r"HTTP/1\.[01] 200\b", first):
        raise ConnectionError(f"the proxy answers {first[9:]}")
