"""A registry asked as Docker asks it: its redirects followed, its challenge met with a token."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import parse_http_list

from runnerkit.machine.route import Exchange, Route

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
HOPS = 9  # redirects that Docker follows (Go's net/http)


@dataclass
class RegistryClient:
    """One image at one registry; `token` is for `at`, the server that asked for one, and `place` is where
    was asked last."""

    route: Route
    url: str
    path: str
    token: str = ""
    at: str = ""
    place: str = ""

    def door(self) -> Exchange:
        return self._get(f"{self.url}/v2/")

    def manifest(self, name: str, method: str = "GET") -> Exchange:
        place = f"{self.url}/v2/{self.path}/manifests/{name}"
        return self._get(place, {"Accept": MANIFESTS}, method=method)

    def blob(self, digest: str, sample: int) -> Exchange:
        """A layer's first bytes, from where it lies."""
        first = {"Range": f"bytes=0-{sample - 1}"}
        return self._get(f"{self.url}/v2/{self.path}/blobs/{digest}", first, sample)

    def permit(self, challenge: Mapping[str, str]) -> Exchange:
        """The token of the registry's token service, for who is nobody."""
        self.at = _server(self.place)
        asked = {"service": challenge.get("service", ""), "scope": f"repository:{self.path}:pull"}
        realm = challenge.get("realm", "")
        try:
            answer = self._get(f"{realm}{'&' if '?' in realm else '?'}{urlencode(asked)}")
        finally:
            self.place = realm
        found = parsed(answer.body)
        self.token = str(found.get("token") or found.get("access_token") or "")
        return answer

    def _get(
        self, url: str, heads: Mapping[str, str] | None = None, sample: int = 0, method: str = "GET"
    ) -> Exchange:
        """What comes in the end, as Docker goes on to it; the token is for nobody else."""
        for _ in range(HOPS + 1):
            self.place = url
            permit = {"Authorization": f"Bearer {self.token}"} if self.token else {}
            shown = permit if _server(url) == self.at else {}
            answer = self.route.ask(url, {**(heads or {}), **shown}, sample, method)
            if answer.status not in REDIRECTS or "location" not in answer.heads:
                break
            url = urljoin(url, answer.heads["location"])
        return answer


def _server(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def challenges(answer: Exchange) -> dict[str, dict[str, str]]:
    """By its scheme, what the server wants to be shown: a head each."""
    found = {}
    for line in answer.heads.get("www-authenticate", "").splitlines():
        scheme, _, rest = line.strip().partition(" ")
        pairs = [one.partition("=")[::2] for one in parse_http_list(rest)]
        found[scheme.lower()] = {name.lower(): value.strip('"') for name, value in pairs}
    return found


def parsed(body: bytes) -> dict[str, Any]:
    """An object of JSON; an empty one where the body is none."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
