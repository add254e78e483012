"""registry_mirrors = "auto": those that were chosen still serve the host; a blank one will find some."""

from collections.abc import Iterator
from dataclasses import replace

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.checks.network import mirrors, registries
from runnerkit.checks.network.verdict import SERVES, Word, unserved
from runnerkit.facts import Facts, Needs
from runnerkit.files import daemon_json, mirror_choice
from runnerkit.images.reference import HUB, registry
from runnerkit.settings.docker import AUTO
from runnerkit.want import Want

GONE = Kind(
    "mirror-gone",
    Level.ERROR,
    "registry mirror {mirror}, which was chosen, serves the host no longer: {word}, {why}",
    "./inv bootstrap --host HOST --mirrors-anew takes {others} in its place",
)
ALONE = Kind(
    GONE.code,
    Level.ERROR,
    GONE.what,
    "no other serves the host all that it needs: name more in [docker] mirror_candidates, then "
    "./inv bootstrap --host HOST --mirrors-anew",
)
NOWHERE = Kind(
    "mirrors-unserved",
    Level.ERROR,
    "no registry mirror serves the host {images}, nor does Docker Hub",
    "name a mirror that has it in [docker] mirror_candidates; ./inv mirror.probe --host HOST tells more of "
    "each",
)
KINDS = (GONE, ALONE, NOWHERE)


def needs(want: Want) -> Needs:
    return mirrors.needs(want)


def known(want: Want, have: Facts) -> bool | None:
    """Whether they were asked; None where the settings name them."""
    return bool(have.offers) if want.docker.registry_mirrors == AUTO else None


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    if not have.offers:
        return
    if not have.docker_runs:
        yield from mirrors.findings(want, have)
    rated = mirror_choice.rated(have)
    images, _ = registries.hub_images(want, have)
    lacking = [
        one
        for one in unserved(rated, images)
        if not registries.here(want, have, one) and not _elsewhere(want, have, one)
    ]
    if lacking:
        yield NOWHERE.found(images=", ".join(lacking))
    now = daemon_json.others(want, have) if have.docker_runs else ()
    others = [one for one in mirror_choice.proven(want, have, now) if one not in now]
    for one in (each for each in rated if each.registry in now and each.word not in SERVES):
        worst = next(each for each in one.judgements if each.word is one.word)
        words = {"mirror": one.registry, "word": str(one.word), "why": worst.why}
        found = GONE.found(**words, others=", ".join(others)) if others else ALONE.found(**words)
        yield replace(found, level=Level.NOTE) if one.word is Word.LACKS else found


def _elsewhere(want: Want, have: Facts, image: str) -> bool:
    """Whether the image is to be had by a name of another registry's."""
    return any(
        image in names and any(registry(one) != HUB for one in names)
        for names in registries.images(want, have).values()
    )
