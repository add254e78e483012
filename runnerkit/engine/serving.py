"""Whether a registry serves an image to a host: token, manifest and the first bytes of a layer.

A mirror that answers at /v2/ may still refuse each image, or its token service may be down.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urljoin

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
REDIRECTS = (301, 302, 303, 307, 308)
HOPS = 3


@dataclass
class _Asking:
    """One image at one registry; `heads` come to hold its token."""

    route: Route
    url: str
    path: str
    heads: dict[str, str] = field(default_factory=dict)

    def manifest(self, name: str) -> Exchange:
        return self._ask(f"{self.url}/v2/{self.path}/manifests/{name}", {"Accept": MANIFESTS})

    def blob(self, digest: str) -> Exchange:
        """A layer's first bytes; where it lies elsewhere, as most do, from there, without the token."""
        url = f"{self.url}/v2/{self.path}/blobs/{digest}"
        answer = self._ask(url, {"Range": "bytes=0-1023"})
        for _ in range(HOPS):
            if answer.status not in REDIRECTS:
                break
            url = urljoin(url, answer.heads.get("location", ""))
            answer = self.route.ask(url, {"Range": "bytes=0-1023"})
        return answer

    def token(self, challenge: str) -> Exchange:
        """That of the registry's token service, for who is nobody."""
        words = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        asked = {"service": words.get("service", ""), "scope": f"repository:{self.path}:pull"}
        realm = words.get("realm", "")
        answer = self.route.ask(f"{realm}{'&' if '?' in realm else '?'}{urlencode(asked)}")
        found = _json(answer.body)
        if token := found.get("token") or found.get("access_token"):
            self.heads["Authorization"] = f"Bearer {token}"
        return answer

    def _ask(self, url: str, heads: Mapping[str, str]) -> Exchange:
        return self.route.ask(url, {**heads, **self.heads})


def serves(route: Route, registry: str, image: str, architecture: str) -> Served:
    """How far a registry serves an image.

    Args:
        route: the way from the host.
        registry: its address, with its scheme.
        image: the image's name.
        architecture: as Docker names it.
    """
    path, name = located(image)
    asking = _Asking(route, registry.rstrip("/"), path)
    step, answer = "door", None
    try:
        answer = route.ask(f"{asking.url}/v2/")
        challenge = answer.heads.get("www-authenticate", "")
        if answer.status == 401 and challenge.lower().startswith("bearer"):
            step = "token"
            answer = asking.token(challenge)
            if "Authorization" not in asking.heads:
                return _served(registry, image, step, answer)
        elif answer.status not in (200, 401):
            return _served(registry, image, step, answer)
        step = "manifest"
        answer = asking.manifest(name)
        if answer.status == 200 and (other := _platform(answer.body, architecture)):
            answer = asking.manifest(other)
        listed = _json(answer.body).get("layers")
        layers = (
            [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        )
        if answer.status != 200 or not layers:
            return _served(registry, image, step, answer)
        smallest = min(
            layers, key=lambda one: size if isinstance(size := one.get("size"), int) else 0
        )
        step = "blob"
        answer = asking.blob(str(smallest.get("digest")))
        good = answer.status in (200, 206)
        return _served(registry, image, "" if good else step, answer)
    except (Trouble, ValueError) as error:  # a layer may lie at what is no address
        trouble = error if isinstance(error, Trouble) else Trouble("nonsense", str(error))
        reply = Reply(registry, trouble.kind, trouble.why)
        return Served(registry, image, step, reply)


def _served(registry: str, image: str, step: str, answer: Exchange) -> Served:
    why = answer.body[:300].decode(errors="replace")
    reply = Reply(registry, why=why, status=answer.status, seconds=answer.seconds)
    return Served(registry, image, step, reply)


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
