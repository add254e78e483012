"""registry_mirrors = "auto": whether mirrors are to be asked, and which of them serve the host."""

from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.checks.network import registries
from runnerkit.checks.network.verdict import SERVES, Rating
from runnerkit.errors import KitError
from runnerkit.facts import Facts, Needs
from runnerkit.files import daemon_json, memory, mirror_choice, removals
from runnerkit.images.reference import HUB, normal, registry
from runnerkit.settings.docker import AUTO
from runnerkit.want import Want

CHOSEN = Kind(
    "mirrors-chosen",
    Level.NOTE,
    "registry mirrors that are chosen: {mirrors}; left out: {others}",
    "./inv mirror.probe --host HOST tells more of each",
)
NONE = Kind(
    "mirrors-none",
    Level.NOTE,
    "no registry mirror serves the host all of {images}; found are: {others}",
    "name more mirrors in [docker] mirror_candidates; ./inv mirror.probe --host HOST tells more of each",
)
KINDS = (CHOSEN, NONE)


def needs(want: Want) -> Needs:
    if want.docker.registry_mirrors != AUTO:
        return Needs()
    images = registries.needs(want).images
    jobs = tuple(job.reference for job in want.images)
    return Needs(files=(daemon_json.PATH, memory.PATH, want.config), images=(*images, *jobs))


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    if not have.offers:
        return
    rated, chosen = (
        mirror_choice.rated(have),
        mirror_choice.proven(want, have, daemon_json.others(want, have)),
    )
    speeds = {one.registry: f"{one.registry} ({one.speed / 1e6:.1f} MB/s)" for one in rated}
    others = [f"{one.registry} ({_words(one)})" for one in rated if one.registry not in chosen]
    rest = ", ".join(others) or "none"
    if chosen:
        yield CHOSEN.found(mirrors=", ".join(speeds[one] for one in chosen), others=rest)
    else:
        images = ", ".join(dict.fromkeys(one.image for one in have.offers))
        yield NONE.found(images=images, others=rest)


def _words(one: Rating) -> str:
    unsure = one.word in SERVES and not one.sure and one.registry != HUB
    return f"{one.word}, but nobody confirms its images" if unsure else one.word


def apart(want: Want, have: Facts) -> bool:
    """Whether the host's Docker goes by a proxy of its own, and pulls go another way than our questions."""
    proxied = have.info.get("HttpProxy") or have.info.get("HttpsProxy")
    return bool(want.docker.daemon.get("proxies") or (proxied and not want.network.proxy))


def askable(want: Want, have: Facts) -> bool:
    """Whether they choose themselves, and what they answer us they answer the host's Docker."""
    if want.docker.registry_mirrors != AUTO or want.bundle or apart(want, have):
        return False
    try:
        daemon_json.mirrors(have)
    except KitError:  # the step that writes it tells
        return False
    return True


def due(want: Want, have: Facts) -> bool:
    """Whether they are to be asked: that is wanted, none is chosen yet, or one is about to be needed."""
    if not askable(want, have):
        return False
    now = daemon_json.mirrors(have)
    known = removals.records(want, have)[0].chosen == memory.digest(have, list(now))
    return want.mirrors_anew or not (known if want.origin else now) or _pulls(want, have)


def _pulls(want: Want, have: Facts) -> bool:
    """Whether an image of Docker Hub's is missing that is pulled. A base is needed for its build alone."""
    built = {job.reference for job in want.images if normal(job.reference) in have.images}
    bases = {
        base
        for job in want.images
        if job.reference in built
        for base in job.on(have.architecture).bases
    }
    return any(
        normal(name) not in have.images and name not in bases
        for name, sources in registries.images(want, have).items()
        if any(registry(one) == HUB for one in sources)
    )
