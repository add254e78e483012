"""Registries serve the host the images that it needs: token, manifest and a blob of each."""

from collections.abc import Iterator
from dataclasses import replace

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.checks.jobs import helper_image
from runnerkit.facts import Facts, Needs
from runnerkit.facts.probe import Served
from runnerkit.images.reference import HUB, normal, registry
from runnerkit.redact import mask, plain
from runnerkit.want import Want

NEXT = "Docker goes on to the next, and to docker.io at last"
UNREACHED = Kind(
    "registry-unreachable",
    Level.ERROR,
    "{registry} does not answer the host: {why}",
    "correct [docker] registry_mirrors, or open the way there; a mirror that has gone for good is to be "
    "replaced",
)
CERTIFICATE = Kind(
    "registry-certificate",
    Level.ERROR,
    "the host does not trust the certificate of {registry}: {why}",
    "name the file of its CA as [network] ca_file; or put it on the host as "
    "/etc/docker/certs.d/HOST:PORT/ca.crt",
)
NO_REGISTRY = Kind(
    "registry-other",
    Level.ERROR,
    "what answers at {registry} is no registry that works: {why}",
    "correct [docker] registry_mirrors; see how that registry fares",
)
TOKEN = Kind(
    "registry-token",
    Level.ERROR,
    "{registry} answers, but its token service does not give leave to pull {images}: {why}",
    "choose another mirror; of a registry of your own see to the service that it names",
)
QUOTA = Kind(
    "registry-quota",
    Level.ERROR,
    "the host has used up what {registry} gives it: {why}",
    "wait until the quota is new, log in there ([docker] registry_logins), or put a mirror of your own "
    "before it",
)
REFUSES = Kind(
    "registry-refuses",
    Level.ERROR,
    "{registry} answers, and refuses {images}: {why}",
    "choose another mirror: this one serves a list of images; of a private registry name it in [docker] "
    "registry_logins",
)
LACKS = Kind(
    "registry-lacks",
    Level.NOTE,
    f"{{registry}} has no {{images}}: {NEXT}",
    "where docker.io does not answer the host, choose a mirror that has it, or image.ship it",
)
KINDS = (UNREACHED, CERTIFICATE, NO_REGISTRY, TOKEN, QUOTA, REFUSES, LACKS)


def needs(want: Want) -> Needs:
    return Needs(images=tuple(one for names in _sources(want, "").values() for one in names))


def mirrors(want: Want, have: Facts) -> tuple[str, ...]:
    """Those of the settings, and those that the host's Docker has."""
    known = (have.info.get("RegistryConfig") or {}).get("Mirrors") or ()
    both = (*want.docker.registry_mirrors, *map(str, known))
    return tuple(dict.fromkeys(one.rstrip("/") for one in both))


def images(want: Want, have: Facts) -> dict[str, tuple[str, ...]]:
    """What the host must be able to pull, and under which names, the first first."""
    return _sources(want, have.architecture)


def here(want: Want, have: Facts, image: str) -> bool:
    """Whether the host has what this is one of the names of."""
    named = (name for name, sources in images(want, have).items() if image in (name, *sources))
    return any(normal(one) in have.images for one in (image, *named))


def _sources(want: Want, architecture: str) -> dict[str, tuple[str, ...]]:
    known = want.names
    found: dict[str, tuple[str, ...]] = {want.manager.image: want.sources(want.manager.image)}
    if architecture:
        found |= helper_image.helpers(want, architecture)
    own = {job.reference for job in want.images}
    others = (one.image for one in want.runners if one.image and one.image not in own)
    bases = (base for job in want.images for base in job.on(architecture or "x86_64").bases)
    for one in (*others, *bases):
        if registry(one) and normal(one).removesuffix(":latest") not in (*known, "scratch"):
            found[one] = want.sources(one)
    return found


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    served = have.probe.served if have.probe else ()
    near = mirrors(want, have)
    caches = {one.url for one in want.caches}  # which have a check of their own
    for name in dict.fromkeys(one.registry for one in served if one.registry not in caches):
        failed = [one for one in served if one.registry == name and one.step]
        for kind in KINDS:
            if alike := [one for one in failed if _kind(one) is kind]:
                images = ", ".join(dict.fromkeys(one.image for one in alike))
                which = f"registry mirror {name}" if name in near else f"registry {name}"
                found = kind.found(registry=which, images=images, why=reason(alike[0]))
                idle = name not in near and all(here(want, have, one.image) for one in alike)
                yield replace(found, level=Level.NOTE) if idle else found


def _kind(one: Served) -> Kind:
    status = one.reply.status
    if one.reply.trouble == "certificate":
        return CERTIFICATE
    if status in (402, 429):
        return QUOTA
    if one.step == "token":
        return TOKEN
    if one.reply.trouble:
        return UNREACHED
    if one.step == "manifest" and status == 404:
        return LACKS
    return REFUSES if one.step != "door" and status in (401, 403, 451) else NO_REGISTRY


WHERE = {"manifest": "its manifest", "blob": "its layers", "token": "a token", "door": "/v2/"}
TROUBLES = {
    "name": "the host does not know its name",
    "silence": "no answer in time",
    "nonsense": "it does not speak HTTP there",
}


def reason(one: Served) -> str:
    """Why a registry did not serve an image, in words."""
    words = mask(plain(one.reply.why)).replace("\n", " ").strip()[:200]
    if one.reply.trouble:
        return TROUBLES.get(one.reply.trouble) or words or one.reply.trouble
    return f"status {one.reply.status} for {WHERE[one.step]}" + (f", {words}" if words else "")


def asked(image: str, near: tuple[str, ...]) -> tuple[str, ...]:
    """The registries by which the host would pull an image: mirrors are for Docker Hub's alone."""
    where = registry(image)
    return near if where == HUB and near else (where,)
