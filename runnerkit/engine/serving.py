"""Whether a registry serves an image to a host: token, manifest and the first bytes of a layer.

A mirror that answers at /v2/ may still refuse each image, or its token service may be down.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode, urljoin

from runnerkit.engine.genuine import begins, digest, same, size
from runnerkit.facts.probe import Reply, Served
from runnerkit.images.reference import HUB, located
from runnerkit.machine.route import Exchange, Route, Trouble

HUB_URL = "https://registry-1.docker.io"
MANIFESTS = ", ".join(
    f"application/vnd.{kind}+json"
    for kind in (
        "docker.distribution.manifest.v2",
        "docker.distribution.manifest.list.v2",
        "oci.image.manifest.v1",
        "oci.image.index.v1",
    )
)
# A registry may offer several ways to log in (RFC 9110, 11.6.1); values may have no quotes.
BEARER = re.compile(r"(?:^|,)\s*bearer\s+(.*)", re.IGNORECASE | re.DOTALL)
WORDS = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s",]+))')
REDIRECTS = (301, 302, 303, 307, 308)
HOPS = 3
OPEN = (200, 401)  # statuses of a registry's /v2/
FEW = 1024  # bytes


@dataclass
class _Asking:
    """One image at one registry; `heads` come to hold its token, `place` is where else it was asked for."""

    route: Route
    url: str
    path: str
    heads: dict[str, str] = field(default_factory=dict)
    place: str = ""

    def manifest(self, name: str) -> Exchange:
        return self._ask(f"{self.url}/v2/{self.path}/manifests/{name}", {"Accept": MANIFESTS})

    def blob(self, digest: str, sample: int) -> Exchange:
        """A layer's first bytes; where it lies elsewhere, as most do, from there, without the token."""
        self.place = f"{self.url}/v2/{self.path}/blobs/{digest}"
        first = {"Range": f"bytes=0-{sample - 1}"}
        answer = self.route.ask(self.place, {**first, **self.heads}, sample)
        for _ in range(HOPS):
            if answer.status not in REDIRECTS:
                break
            self.place = urljoin(self.place, answer.heads.get("location", ""))
            answer = self.route.ask(self.place, first, sample)
        return answer

    def token(self, challenge: str) -> Exchange:
        """That of the registry's token service, for who is nobody."""
        first = reversed(WORDS.findall(challenge))  # what follows is of another way
        words = {name: quoted or bare for name, quoted, bare in first}
        asked = {"service": words.get("service", ""), "scope": f"repository:{self.path}:pull"}
        realm = self.place = words.get("realm", "")
        answer = self.route.ask(f"{realm}{'&' if '?' in realm else '?'}{urlencode(asked)}")
        self.place = ""
        found = _json(answer.body)
        if token := found.get("token") or found.get("access_token"):
            self.heads["Authorization"] = f"Bearer {token}"
        return answer

    def _ask(self, url: str, heads: Mapping[str, str]) -> Exchange:
        return self.route.ask(url, {**heads, **self.heads})


def door(route: Route, registry: str) -> Served | None:
    """Why it answers as no registry does; None where it does.

    Args:
        route: the way from the host.
        registry: its address, with its scheme.
    """
    found = Served(registry, "", "door", Reply(registry))
    try:
        answer = route.ask(f"{registry.rstrip('/')}/v2/")
    except Trouble as error:
        return replace(found, reply=Reply(registry, error.kind, error.why))
    return None if _open(answer) else _answered(found, answer)


def serves(route: Route, registry: str, image: str, architecture: str, sample: int = 0) -> Served:
    """How far a registry serves an image.

    Args:
        route: the way from the host.
        registry: its address, with its scheme.
        image: the image's name.
        architecture: as Docker names it.
        sample: bytes of the largest layer that are fetched; 0 for a few of the smallest.
    """
    path, name = located(image)
    asking = _Asking(route, registry.rstrip("/"), path)
    found = Served(registry, image, "door", Reply(registry))
    try:
        answer = route.ask(f"{asking.url}/v2/")
        bearer = BEARER.search(answer.heads.get("www-authenticate", ""))
        if answer.status == 401 and bearer:
            found = replace(found, step="token")
            answer = asking.token(bearer[1])
            if "Authorization" not in asking.heads:
                return _answered(found, answer)
        elif not _open(answer):
            return _answered(found, answer)
        found = replace(found, step="manifest")
        answer = asking.manifest(name)
        same(answer, answer.heads.get("docker-content-digest", ""), name)
        if answer.status == 200 and (other := _platform(answer.body, architecture)):
            answer = asking.manifest(other)
            same(answer, other)
        layers = _listed(answer.body, "layers")
        if answer.status != 200 or not layers:
            return _answered(found, answer)
        found = replace(found, step="blob", digest=digest(answer.body))
        layer = max(layers, key=size) if sample else min(layers, key=size)
        answer = asking.blob(str(layer.get("digest")), sample or FEW)
        if answer.status in (200, 206):
            begins(answer, layer, sample or FEW, route.patience)
            found = replace(found, step="", sample=len(answer.body))
        return _answered(found, answer)
    except (Trouble, ValueError) as error:  # a layer may lie at what is no address
        trouble = error if isinstance(error, Trouble) else Trouble("nonsense", str(error))
        place = "" if asking.place.startswith(f"{asking.url}/") else asking.place[:200]
        return replace(found, reply=Reply(registry, trouble.kind, trouble.why, place=place))


def _open(answer: Exchange) -> bool:
    """Whether a registry's /v2/ would answer so: other servers have a page for every path."""
    page = answer.status == 200 and "text/html" in answer.heads.get("content-type", "")
    return answer.status in OPEN and not page


def _answered(found: Served, answer: Exchange) -> Served:
    why = answer.body[:300].decode(errors="replace") if found.step else ""
    seconds, status = answer.seconds, answer.status
    return replace(found, reply=Reply(found.registry, why=why, status=status, seconds=seconds))


def _platform(body: bytes, architecture: str) -> str:
    """The manifest for that processor, where there are several."""
    for one in _listed(body, "manifests"):
        platform = one.get("platform")
        if isinstance(platform, dict) and platform.get("architecture") == architecture:
            return str(one.get("digest", ""))
    return ""


def _listed(body: bytes, key: str) -> list[dict[str, Any]]:
    """The objects of a list: a registry may answer anything."""
    found = _json(body).get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _json(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def address(registry: str) -> str:
    """Where a registry of an image's name answers."""
    return HUB_URL if registry == HUB else f"https://{registry}"
