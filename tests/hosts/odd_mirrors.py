"""Mirrors that have their own ways with one image: some are odd and serve it, some seem well and do not."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.hosts.lying import listening

IMAGE = "odd:1"
FAR = "far.example.com"
PATH = "/v2/library/odd"
KIND = "application/vnd.docker.distribution.manifest"
TOKEN = "Bearer opensesame"
WAYS = (
    "usual",
    "moves to another server",
    "moves within",
    "moves within, with tokens",
    "moves in a circle",
    "has its layers ten times further",
    "has its layers twelve times further",
    "has its layers where a token is refused",
    "has no door",
    "has a door that is busy",
    "has a page at its door",
    "gives tokens",
    "gives tokens by another word",
    "gives tokens at a place that has moved",
    "gives tokens, and asks in large letters",
    "gives tokens, and quotes little",
    "gives tokens, or takes a password",
    "gives tokens that open nothing",
    "wants a password",
    "wants a password at its door",
    "wants something unheard of",
    "names no digest",
    "sends whole layers alone",
    "has it for another processor",
    "has one manifest alone",
    "refuses HEAD",
    "forbids HEAD",
    "knows no HEAD",
)  # fmt: skip


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _files() -> dict[str, tuple[str, bytes]]:
    """What a registry has of the image, by the end of its path: kind and content."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("odd"), io.BytesIO(b""))
    layer = gzip.compress(raw.getvalue(), mtime=0)
    rootfs = {"type": "layers", "diff_ids": [_digest(raw.getvalue())]}
    config = json.dumps(
        {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs}
    ).encode()

    def part(kind: str, data: bytes) -> dict[str, Any]:
        return {"mediaType": kind, "digest": _digest(data), "size": len(data)}

    gz, json_ = (
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "application/vnd.docker.container.image.v1+json",
    )
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": f"{KIND}.v2+json",
            "config": part(json_, config),
            "layers": [part(gz, layer)],
        }
    ).encode()
    found = {
        f"/blobs/{_digest(config)}": (json_, config),
        f"/blobs/{_digest(layer)}": (gz, layer),
        f"/manifests/{_digest(manifest)}": (f"{KIND}.v2+json", manifest),
        "/manifests/alone": (f"{KIND}.v2+json", manifest),
    }
    for name, architecture in (("1", "amd64"), ("other", "arm64")):
        platform = {"architecture": architecture, "os": "linux"}
        one = {**part(f"{KIND}.v2+json", manifest), "platform": platform}
        index = json.dumps(
            {"schemaVersion": 2, "mediaType": f"{KIND}.list.v2+json", "manifests": [one]}
        ).encode()
        found[f"/manifests/{name}"] = found[f"/manifests/{_digest(index)}"] = (
            f"{KIND}.list.v2+json",
            index,
        )
    return found


FILES = _files()


class Odd(BaseHTTPRequestHandler):
    """One way of serving the image, and nothing else."""

    protocol_version = "HTTP/1.1"
    way, other = "", ""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        at = urlsplit(self.path)
        if (answer := self._guarded(at.path, parse_qs(at.query))) is not None:
            return self._send(*answer)
        name = at.path.removeprefix(PATH)
        if at.path == "/v2/":
            return self._send(200, {}, b"{}")
        if self.way == "has it for another processor" and name == "/manifests/1":
            name = "/manifests/other"
        if self.way == "has one manifest alone" and name == "/manifests/1":
            name = "/manifests/alone"
        if name not in FILES:
            return self._send(404, {}, b"{}")
        kind, data = FILES[name]
        heads = {"Content-Type": kind, "Docker-Content-Digest": _digest(data)}
        if self.way == "names no digest":
            del heads["Docker-Content-Digest"]
        part = "Range" in self.headers and self.way != "sends whole layers alone"
        if part:
            first, _, last = self.headers["Range"].removeprefix("bytes=").partition("-")
            end = min(int(last or len(data)), len(data) - 1)
            heads["Content-Range"] = f"bytes {first}-{end}/{len(data)}"
            data = data[int(first) : end + 1]
        return self._send(206 if part else 200, heads, data)

    def _guarded(
        self, path: str, query: dict[str, list[str]]
    ) -> tuple[int, dict[str, str], bytes] | None:
        """What is answered in the place of the image, if anything is."""
        way, known, door = self.way, self.headers.get("Authorization"), path == "/v2/"
        far, layer = int(query.get("far", ["0"])[0]), "/blobs/" in path
        if way == "moves to another server":
            return self._moved(f"{self.other}{self.path}")
        if way.startswith("moves within") and "here" not in query:
            return self._moved(f"{path}?here=1")
        if way == "moves in a circle":
            return self._moved(path)
        if way.startswith("has its layers") and "further" in way and layer:
            last = 10 if "ten" in way else 12
            return self._moved(f"{path}?far={far + 1}") if far < last else None
        if way == "has its layers where a token is refused" and layer:
            return self._moved(f"{self.other}{path}?bare=1")
        if "bare" in query and known:
            return 400, {}, b"only one of these ways to log in"
        if door and way == "has no door":
            return 404, {}, b"{}"
        if door and way == "has a door that is busy":
            return 503, {}, b"{}"
        if door and way == "has a page at its door":
            return 200, {"Content-Type": "text/html"}, b"<html>welcome</html>"
        if path == "/token":
            word = "access_token" if "another word" in way else "token"
            return 200, {}, json.dumps({word: TOKEN.removeprefix("Bearer ")}).encode()
        if path == "/moved":
            return self._moved(f"/token?{urlsplit(self.path).query}")
        if way == "gives tokens that open nothing" and not door:
            return 401, self._challenge(), b"{}"
        if ("token" in way and known != TOKEN) or way == "wants a password":
            return 401, self._challenge(), b"{}"
        if door and way in ("wants a password at its door", "wants something unheard of"):
            return 401, self._challenge(), b"{}"
        heads = {"refuses HEAD": 405, "forbids HEAD": 403, "knows no HEAD": 404}
        if self.command == "HEAD" and way in heads:
            return heads[way], {}, b""
        return None

    def _moved(self, where: str) -> tuple[int, dict[str, str], bytes]:
        return 302, {"Location": where}, b""

    def _challenge(self) -> dict[str, str]:
        here = f"http://{self.headers['Host']}"
        if self.way.startswith("wants a password"):
            return {"WWW-Authenticate": 'Basic realm="x"'}
        if self.way == "wants something unheard of":
            return {"WWW-Authenticate": 'Negotiate realm="x"'}
        place = "moved" if "has moved" in self.way else "token"
        text = f'Bearer realm="{here}/{place}",service="odd.example.com"'
        if "large letters" in self.way:
            text = text.replace("Bearer realm", "BEARER Realm")
        if "quotes little" in self.way:
            text = text.replace('"odd.example.com"', "odd.example.com")
        first = {"Www-Authenticate": 'Basic realm="x"'} if "password" in self.way else {}
        return {"WWW-Authenticate": text, **first}

    def _send(self, status: int, heads: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**heads, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


@contextmanager
def odd_mirrors(address: str) -> Iterator[dict[str, str]]:
    """A mirror for each way; their addresses. That of another server has a name, FAR."""
    with ExitStack() as stack:
        usual = stack.enter_context(listening(address, type("Usual", (Odd,), {"way": "usual"})))
        other = usual.replace(address, FAR)
        yield {
            way: stack.enter_context(
                listening(address, type("One", (Odd,), {"way": way, "other": other}))
            )
            for way in WAYS
        }
