"""Registries serve the host the images that it needs: token, manifest and a blob of each."""

from collections.abc import Iterator
from dataclasses import replace

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.checks.jobs import helper_image
from runnerkit.checks.network.verdict import SERVES, Judgement, Word, judged
from runnerkit.facts import Facts, Needs
from runnerkit.images.reference import HUB, normal, registry
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
    "/etc/docker/certs.d/HOST:PORT/ca.crt, of a mirror from Docker 29 on as certs.d/docker.io/ca.crt",
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
STALE = Kind(
    "registry-stale",
    Level.ERROR,
    "what {registry} serves as {images} is not that image: {why}",
    "choose another mirror; an image that is pinned by its digest comes as it is, or not at all",
)
KINDS = (UNREACHED, CERTIFICATE, NO_REGISTRY, TOKEN, QUOTA, REFUSES, STALE, LACKS)
BY_WORD = {
    Word.TOKEN: TOKEN,
    Word.QUOTA: QUOTA,
    Word.ALLOWLIST: REFUSES,
    Word.STALE: STALE,
    Word.LACKS: LACKS,
}


def needs(want: Want) -> Needs:
    return Needs(images=tuple(one for names in _sources(want, "").values() for one in names))


def mirrors(want: Want, have: Facts) -> tuple[str, ...]:
    """Those of the settings, and those that the host's Docker has."""
    known = (have.info.get("RegistryConfig") or {}).get("Mirrors") or ()
    both = (*want.docker.fixed_mirrors, *map(str, known))
    return tuple(dict.fromkeys(one.rstrip("/") for one in both))


def images(want: Want, have: Facts) -> dict[str, tuple[str, ...]]:
    """What the host must be able to pull, and under which names, the first first."""
    return _sources(want, have.architecture)


def hub_images(want: Want, have: Facts) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the host must be able to pull of Docker Hub's, which mirrors have; and what of others'."""
    found = images(want, have)
    if not want.runners:  # a host to be: its runners will have the usual helper
        found = found | helper_image.usual(want, have.architecture)
    by_name = [tuple(one for one in names if registry(one) == HUB) for names in found.values()]
    others = (name for name, hub in zip(found, by_name, strict=True) if not hub)
    return tuple(dict.fromkeys(hub[0] for hub in by_name if hub)), tuple(others)


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
    judgements = judged(have.probe.served if have.probe else ())
    near = mirrors(want, have)
    caches = {one.url for one in want.caches}  # which have a check of their own
    names = dict.fromkeys(one.served.registry for one in judgements)
    for name in (one for one in names if one not in caches):
        mine = [one for one in judgements if one.served.registry == name]
        failed = [one for one in mine if one.word not in SERVES]
        for kind in KINDS:
            if alike := [one for one in failed if _kind(one) is kind]:
                images = ", ".join(dict.fromkeys(one.served.image for one in alike))
                which = f"registry mirror {name}" if name in near else f"registry {name}"
                found = kind.found(registry=which, images=images, why=alike[0].why)
                idle = name not in near and all(here(want, have, one.served.image) for one in alike)
                late = kind is STALE and alike[0].served.reply.trouble != "forgery"
                yield replace(found, level=Level.NOTE) if idle or late else found


def _kind(one: Judgement) -> Kind:
    reply = one.served.reply
    if reply.trouble == "certificate":
        return CERTIFICATE
    if one.word is Word.DEAD:
        return UNREACHED if reply.trouble else NO_REGISTRY
    if one.word is Word.LACKS and reply.status in (401, 403):  # it may be private
        return REFUSES
    return BY_WORD[one.word]


def asked(image: str, near: tuple[str, ...]) -> tuple[str, ...]:
    """The registries by which the host would pull an image: mirrors are for Docker Hub's alone."""
    where = registry(image)
    return near if where == HUB and near else (where,)
