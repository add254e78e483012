"""Image names, as people write them and as the engine lists them."""

import re
from collections.abc import Mapping
from typing import Any

# distribution/reference v0.6.0, regexp.go and normalize.go.
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
PATH = re.compile(rf"{_PART}(?:/{_PART})*")
_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?")
_TAG = re.compile(r":[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"@(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})")
# The same in one, for what a type can say of a key.
GRAMMAR = rf"(?:{_DOMAIN.pattern}/)?{PATH.pattern}(?:{_TAG.pattern})?(?:{_DIGEST.pattern})?"
_ID = re.compile(r"[a-f0-9]{64}")
_PIN_OF_TAG = re.compile(r"(:.+(?=-)|)[-:]sha256-([a-f0-9]{64})")
HUB = "docker.io"


def parse(name: str) -> str:
    """A name as the engine lists it: without Docker Hub's prefix, with its tag or digest.

    Of a tag and a digest the digest counts. "" for what is no image's name.
    """
    _, path, tag, digest = _split(name)
    good = (
        PATH.fullmatch(path) and len(path) <= 255 and not _ID.fullmatch(name),
        not tag or _TAG.fullmatch(tag),
        not digest or _DIGEST.fullmatch(digest),
    )
    return normal(name) if all(good) else ""


def normal(name: str) -> str:
    """The same, whatever the name."""
    domain, path, tag, digest = _split(name)
    if domain == HUB:
        domain, path = "", path.removeprefix("library/") if path.count("/") == 1 else path
    return f"{domain}{'/' if domain else ''}{path}{digest or tag or ':latest'}"


def bare(name: str) -> str:
    """The same without the tag that is meant where none is said."""
    return normal(name).removesuffix(":latest")


def repository(name: str) -> str:
    """The same without any tag or digest."""
    return untagged(normal(name))


def untagged(name: str) -> str:
    """A name as it is written, without any tag or digest."""
    return re.sub(r"(:[^:/]*)?(@.*)?$", "", name)


def registry(name: str) -> str:
    """Where the engine would pull it from, Docker Hub where nothing is named; "" for what is no name."""
    return _split(name)[0] if parse(name) else ""


def digest(name: str) -> str:
    """The digest that a name is pinned by, ``@sha256:…``; "" for none."""
    return _split(name)[3]


def sources(name: str, prefixes: Mapping[str, str]) -> tuple[str, ...]:
    """The names by which an image may be pulled: that of the mirror of its registry, and its own.

    Args:
        name: the image's.
        prefixes: how names begin at the mirrors, by registry.
    """
    domain, path, tag, pin = _split(name)
    own = prefixes.get(domain) if parse(name) else None
    return (f"{own}/{path}{tag}{pin}", name) if own else (name,)


def nearest_name(name: str, prefixes: Mapping[str, str]) -> str:
    """The name by which an image is used: that of the mirror, where it is pinned by a digest, which an
    engine knows only by the name that the image came by."""
    return sources(name, prefixes)[0] if digest(name) else name


def tagged(name: str) -> str:
    """The name that an image gets which comes from a bundle: where it is pinned, the digest is part of
    its tag, for an engine learns a digest from a registry alone; else its own."""
    _, _, tag, pin = _split(name)
    return (
        f"{untagged(name)}{tag + '-' if tag else ':'}{pin[1:].replace(':', '-')}" if pin else name
    )


def pinned(name: str) -> str:
    """The name whose `tagged` this is, by which a registry has it; else its own."""
    if not (found := _PIN_OF_TAG.fullmatch(_split(name)[2])):
        return name
    return f"{untagged(name)}{found[1]}@sha256:{found[2]}"


def known_as(name: str, images: Mapping[str, Mapping[str, Any]]) -> str:
    """The name by which an engine that has these images knows one: its own, or what `tagged` gives it."""
    own, other = normal(name), normal(tagged(name))
    return tagged(name) if own not in images and other in images else name


def by_reference(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Images as the engine inspects them, by each of their names."""
    images: dict[str, dict[str, Any]] = {}
    for image in found:
        names = (image.get("RepoTags") or []) + (image.get("RepoDigests") or [])
        images |= dict.fromkeys(names or [image["Id"]], image)
    return images


def _split(name: str) -> tuple[str, str, str, str]:
    """The registry, Docker Hub where none is named; the path; :tag and @digest, or what stands there."""
    first, slash, rest = name.partition("/")
    if not slash or not (first == "localhost" or set(first) & set(".:") or first != first.lower()):
        first, rest = HUB, name
    first = HUB if first == "index.docker.io" else first
    path, at, digest = rest.partition("@")
    path, colon, tag = path.partition(":")
    path = path if first != HUB or "/" in path else f"library/{path}"
    if not _DOMAIN.fullmatch(first):
        first, path = "", f"{first}/{path}"
    return first, path, colon + tag, at + digest


def full(name: str) -> str:
    """The same with all that is left out where it is usual: docker.io/library/debian:12."""
    domain, path, tag, digest = _split(name)
    return f"{domain}/{path}{digest or tag or ':latest'}"


def located(name: str) -> tuple[str, str]:
    """An image's path at its registry, and its digest or tag there."""
    _, path, tag, digest = _split(name)
    return path, (digest or tag or ":latest")[1:]
