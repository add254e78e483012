"""Whether a registry serves an image to a host: token, manifest and the first bytes of a layer.

A mirror that answers at /v2/ may still refuse each image, or its token service may be down.
"""

from dataclasses import replace
from typing import Any

from runnerkit.engine.genuine import begins, digest, same, size
from runnerkit.engine.registry_client import RegistryClient, challenges, parsed
from runnerkit.facts.probe import Reply, Served
from runnerkit.images.reference import HUB, located
from runnerkit.machine.route import Exchange, Route, Trouble

HUB_URL = "https://registry-1.docker.io"
OPEN = (200, 401)  # statuses of a registry's /v2/
HEADS = (200, 405)  # of a manifest's head, with which containerd goes on
FEW = 1024  # bytes


def door(route: Route, registry: str) -> Served | None:
    """Why it does not answer, or answers as no registry does; None where it does.

    Args:
        route: the way from the host.
        registry: its address, with its scheme.
    """
    found = Served(registry, "", "door", Reply(registry))
    try:
        answer = RegistryClient(route, registry.rstrip("/"), "").door()
    except Trouble as error:
        return replace(found, reply=Reply(registry, error.kind, error.why))
    return None if _open(answer) else _answered(found, answer)


def serves(
    route: Route,
    registry: str,
    image: str,
    architecture: str,
    sample: int = 0,
    containerd: bool = False,
) -> Served:
    """How far a registry serves an image.

    Args:
        route: the way from the host.
        registry: its address, with its scheme.
        image: the image's name.
        architecture: as Docker names it.
        sample: bytes of the largest layer that are fetched; 0 for a few of the smallest.
        containerd: whether it must also do for containerd's store, which asks for a manifest's head first
            and takes no other answer for none (its remotes/docker/resolver.go).
    """
    path, name = located(image)
    client = RegistryClient(route, registry.rstrip("/"), path)
    found = Served(registry, image, "door", Reply(registry))
    try:
        shut = answer = client.door()
        wanted = challenges(answer) if answer.status == 401 else {}
        if "bearer" in wanted:
            found = replace(found, step="token")
            answer = client.permit(wanted["bearer"])
            if not client.token:
                return _answered(found, answer)
        found = replace(found, step="manifest")
        if "basic" in wanted:  # Docker has no password to show, and asks no further
            return _answered(found, shut)
        answer = client.manifest(name, "HEAD") if containerd else shut
        if not containerd or answer.status in HEADS:
            answer = client.manifest(name)
        if answer.status != 200 and not _open(shut):
            return _answered(replace(found, step="door"), shut)
        same(answer, answer.heads.get("docker-content-digest", ""), name)
        if answer.status == 200 and (other := _platform(answer.body, architecture)):
            answer = client.manifest(other)
            same(answer, other)
        layers = _listed(answer.body, "layers")
        if answer.status != 200 or not layers:
            return _answered(found, answer)
        found = replace(found, step="blob", digest=digest(answer.body))
        layer = max(layers, key=size) if sample else min(layers, key=size)
        answer = client.blob(str(layer.get("digest")), sample or FEW)
        if answer.status in (200, 206):
            begins(answer, layer, sample or FEW, route.patience)
            found = replace(found, step="", sample=len(answer.body))
        return _answered(found, answer)
    except (Trouble, ValueError) as error:  # a layer may lie at what is no address
        trouble = error if isinstance(error, Trouble) else Trouble("nonsense", str(error))
        far = found.step in ("token", "blob") and not client.place.startswith(f"{client.url}/")
        place = client.place[:200] if far else ""
        return replace(found, reply=Reply(registry, trouble.kind, trouble.why, place=place))


def _open(answer: Exchange) -> bool:
    """Whether a registry's /v2/ would answer so: other servers have a page for every path."""
    page = answer.status == 200 and "text/html" in answer.heads.get("content-type", "")
    return answer.status in OPEN and not page


def _answered(found: Served, answer: Exchange) -> Served:
    why = _told(answer.body) if found.step else ""
    seconds, status = answer.seconds, answer.status
    return replace(found, reply=Reply(found.registry, why=why, status=status, seconds=seconds))


def _told(body: bytes) -> str:
    """Why, in a registry's own words (OCI's distribution specification, error codes)."""
    errors = _listed(body, "errors")
    words = [str(one.get("message") or one.get("code") or "") for one in errors]
    return "; ".join(filter(None, words))[:300] or body[:300].decode(errors="replace")


def _platform(body: bytes, architecture: str) -> str:
    """The manifest for that processor, where there are several.

    Raises:
        Trouble: there are, and none is.
    """
    others = []
    for one in _listed(body, "manifests"):
        platform = one.get("platform")
        its = platform.get("architecture") if isinstance(platform, dict) else None
        if its == architecture:
            return str(one.get("digest", ""))
        others.append(str(its))
    if others:
        raise Trouble("processor", f"it is there for {', '.join(dict.fromkeys(others))} alone")
    return ""


def _listed(body: bytes, key: str) -> list[dict[str, Any]]:
    """The objects of a list: a registry may answer anything."""
    found = parsed(body).get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def address(registry: str) -> str:
    """Where a registry of an image's name answers."""
    return HUB_URL if registry == HUB else f"https://{registry}"
