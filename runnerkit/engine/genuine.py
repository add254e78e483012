"""Whether what a registry sends is what its digest names."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runnerkit.machine.route import Exchange, Trouble

MAGIC = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}


def same(answer: Exchange, *digests: str) -> None:
    """What a digest names has that digest.

    Raises:
        Trouble: it has another.
    """
    for one in digests:
        if answer.status == 200 and one.startswith("sha256:") and one != digest(answer.body):
            raise Trouble("forgery", f"what comes as {one[:19]}… has another digest")


def begins(answer: Exchange, layer: Mapping[str, Any], sample: int, patience: float) -> None:
    """A layer begins as one of its kind does, and has the digest where all of it has come.

    Raises:
        Trouble: it ends before its end, or is something else.
    """
    body, whole = answer.body, size(layer)
    if len(body) < min(sample, whole) and answer.seconds < patience:
        raise Trouble("connection", f"it ends after {len(body)} of {whole} bytes")
    if body and len(body) == whole:
        same(replace(answer, status=200), str(layer.get("digest")))
    kind = str(layer.get("mediaType", "")).rpartition("+")[2].rpartition(".")[2]
    if not body.startswith(MAGIC.get(kind, b"")):
        raise Trouble("forgery", "what comes in place of a layer is none")


def digest(body: bytes) -> str:
    """As a manifest names it."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def size(layer: Mapping[str, Any]) -> int:
    """A layer's, in bytes; 0 where the manifest does not say."""
    return found if isinstance(found := layer.get("size"), int) else 0
