"""Which credentials a pull uses: job variable, then files, then the job's own payload."""

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HUB = "docker.io"


def resolve(
    image: str, variable: str, home: Path, credentials: Sequence[Mapping[str, Any]]
) -> tuple[str, dict[str, str]] | None:
    """(source, auth) of the first place that knows the image, longest path first."""
    sources = [("$DOCKER_AUTH_CONFIG", _from_json(variable))]
    files = (home / ".docker" / "config.json", home / ".dockercfg")
    sources += [(str(path), _from_json(path.read_text())) for path in files if path.exists()]
    payload = {
        _host(str(item["url"])): {"username": item["username"], "password": item["password"]}
        for item in credentials
        if item.get("type") == "registry"
    }
    sources.append(("job payload (GitLab Registry)", payload))
    for source, known in sources:
        for prefix in prefixes(image):
            if prefix in known:
                return source, known[prefix]
    return None


def prefixes(image: str) -> list[str]:
    """registry/group/name, registry/group, registry."""
    name = image.partition("@")[0]
    first, slash, _ = name.partition("/")
    if not slash or not (set(first) & set(".:") or first == "localhost"):
        name = f"{HUB}/{name}"
    head, _, last = name.rpartition("/")
    parts = f"{head}/{last.partition(':')[0]}".split("/")
    return ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]


def _from_json(text: str) -> dict[str, dict[str, str]]:
    try:
        data = json.loads(text or "{}")
    except ValueError:
        return {}
    found = {}
    for host, entry in data.get("auths", data).items():
        if isinstance(entry, dict) and entry.get("auth"):
            user, _, password = base64.b64decode(entry["auth"]).decode().partition(":")
            found[_host(host)] = {"username": user, "password": password}
        elif isinstance(entry, dict) and entry.get("username"):
            found[_host(host)] = {"username": entry["username"], "password": entry["password"]}
    return found


def _host(url: str) -> str:
    bare = url.removeprefix("https://").removeprefix("http://").rstrip("/")
    return HUB if bare.startswith("index.docker.io") else bare.removesuffix("/v1").rstrip("/")
