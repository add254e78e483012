"""Job images are on the host as they are defined: built there from bases that are there."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from runnerkit.bundle import supply
from runnerkit.checks.host import disk
from runnerkit.errors import nearest
from runnerkit.facts import Facts, Needs
from runnerkit.files import daemon_json
from runnerkit.images.content import content, instant
from runnerkit.images.definition import (
    DATES,
    INPUTS,
    NAME,
    JobImage,
    built_of,
    hashed_name,
    labels,
    pairs,
)
from runnerkit.images.reference import bare, normal
from runnerkit.plan import Build, Change, Hint, Pull, Script, mirrors
from runnerkit.templates import render
from runnerkit.want import Want

HINTS = (
    Hint("(?i)no such image", "it went meanwhile: run again, and it is built"),
    Hint("", "see the daemon's log on the host: journalctl -u docker"),
)


def needs(want: Want) -> Needs:
    names = [name for job in want.images for name in (job.reference, *job.bases, *job.all_stages)]
    return Needs(files=(daemon_json.PATH,), images=tuple(names))


def changes(want: Want, have: Facts) -> Iterator[Change]:
    if want.bundle:
        yield from supply.jobs(want.bundle, have, want.images)
        return
    reasons: dict[str, str] = {}
    tags: list[Change] = []
    for job in want.images:
        reason = why(job, have, reasons)
        if reason and _ready(job, have, reasons):
            tags.append(_tag(job.hashed(bases(job, have)), job.reference))
        elif reason:
            reasons[job.name] = reason
        elif (name := hashed_name(have.images[job.reference])) not in have.images:
            tags.append(_tag(job.reference, name))
    stale = [job for job in want.images if job.name in reasons]
    if stale and (found := disk.full(want, have, sum(job.size for job in stale))):
        raise found.error()
    yield from pulls(stale, want, have)
    yield from builds(stale, reasons, want, have)
    yield from tags


def why(job: JobImage, have: Facts, rebuilt: Collection[str] = ()) -> str:
    """Why the host's image of that name is not the one that is defined; "" where it is.

    An image that was sent to the host comes without its base: one that the host has not got, or has
    in an older version, is no reason.
    """
    image = have.images.get(job.reference)
    if image is None:
        return "new"
    marks = labels(image)
    if marks.get(NAME) != job.name:
        return "what has its name was not built by the kit"
    if marks.get(INPUTS) != job.inputs:
        return "its definition changed"
    for base, was in built_of(image).items():
        if bare(base) in rebuilt:
            return f"its base {base} is rebuilt"
        now = have.images.get(normal(base))
        if now and was not in (content(now), now["Id"]) and not _older(now, marks, base):
            return f"its base {base} moved"
    return ""


def pulls(jobs: list[JobImage], want: Want, have: Facts, again: bool = False) -> Iterator[Pull]:
    """The bases of these images that the host has not got, or `again` all of them."""
    own, reaches = {job.name for job in want.images}, mirrors(want.docker.fixed_mirrors)
    logins = want.docker.registry_logins
    platforms = {base: job.platform for job in jobs for base in _on(job, have).bases}
    for base, platform in platforms.items():
        if bare(base) in own:
            continue
        if again or normal(base) not in have.images:
            near = nearest(base, want.names)
            title = f"pull {base}, to build on{want.slip(base)}"
            yield Pull(title, base, want.sources(base), platform, near, logins, reaches=reaches)


def builds(
    jobs: list[JobImage],
    reasons: Mapping[str, str],
    want: Want,
    have: Facts,
    no_cache: bool = False,
) -> Iterator[Build]:
    """Builds of these images; classic where the host's own daemon.json says so."""
    buildkit = daemon_json.buildkit(have)
    for job in jobs:
        title = f"build the job image {job.name} ({reasons[job.name]})"
        yield Build(title, _on(job, have), buildkit, no_cache, want.network.both)


def bases(job: JobImage, have: Facts) -> dict[str, str]:
    """What the host's bases are; of one that it has not got, what was built on."""
    image = have.images.get(job.reference)
    before = built_of(image) if image else {}
    return {
        base: content(now) if (now := have.images.get(normal(base))) else before.get(base, "")
        for base in _on(job, have).bases
    }


def _on(job: JobImage, have: Facts) -> JobImage:
    return job.on(have.architecture, daemon_json.buildkit(have))


def _older(now: Mapping[str, Any], marks: Mapping[str, str], base: str) -> bool:
    """Whether the host's base was created before the one that was built on."""
    then, created = pairs(marks, DATES).get(base, ""), str(now.get("Created") or "")
    return bool(then and created) and instant(created) < instant(then)


def _ready(job: JobImage, have: Facts, rebuilt: Collection[str]) -> bool:
    """Whether it was built before, on these very bases, and only the plain name is elsewhere."""
    if any(bare(base) in rebuilt for base in _on(job, have).bases):
        return False
    image = have.images.get(job.hashed(bases(job, have)))
    return image is not None and labels(image).get(NAME) == job.name


def _tag(old: str, new: str) -> Script:
    text = render("tag.sh.j2", old=old, new=new)
    return Script(f"tag {old} as {new}", text, hints=HINTS)
