"""Job images on many hosts: built, sent, looked at."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from runnerkit import converge, images, want
from runnerkit.errors import KitError
from runnerkit.facts import Facts
from runnerkit.fleet import Outcome, Say, each, progress
from runnerkit.host import Host
from runnerkit.images import NAME, JobImage
from runnerkit.plan import Build, Change
from runnerkit.settings import Settings
from runnerkit.steps import job_images
from runnerkit.targets import Target
from runnerkit.want import Want


def build(
    targets: list[Target],
    settings: Settings,
    accept: bool,
    say: Say,
    names: str,
    pull: bool = False,
    no_cache: bool = False,
    registry: str = "",
) -> list[Outcome]:
    """Build job images on every host where they are not as they are defined.

    Args:
        targets: the hosts.
        settings: where the images are defined.
        accept: whether an SSH host key seen for the first time is accepted.
        say: told where each host is.
        names: the images, comma-separated.
        pull: look whether their bases have moved.
        no_cache: build them whatever the host has, without the builder's cache.
        registry: where they are pushed to afterwards; "" for nowhere.
    """

    def work(host: Host, wanted: Want, outcome: Outcome) -> None:
        def first(have: Facts) -> list[Change]:
            _needs_docker(have)
            jobs = [*wanted.images]
            bases = job_images.pulls(jobs, wanted, have, again=pull) if pull or no_cache else ()
            asked = dict.fromkeys((job.name for job in jobs), "asked for without cache")
            forced = job_images.builds(jobs, asked, have, no_cache=True) if no_cache else ()
            return [*bases, *forced]

        _, have = converge.apply(host, wanted, progress(outcome, say), converge.IMAGES, first)
        built = {c.image.name for c in outcome.changes if isinstance(c, Build)}
        for job in wanted.images:
            outcome.images.append(_row(job, have, "built" if job.name in built else "unchanged"))
        if registry:
            _push(host, wanted, have, registry, lambda line: say(outcome.host, line))

    if "://" in registry:
        raise KitError(
            f"--push {registry}: a registry is named without its protocol",
            f"say --push {registry.partition('://')[2]}",
        )
    wanted = want.of_images(settings, names)
    return each(targets, settings, {t.name: wanted for t in targets}, accept, say, work)


def ship(
    source: Target, targets: list[Target], settings: Settings, accept: bool, say: Say, name: str
) -> list[Outcome]:
    """Build a job image on one host and send it to others, where they have not got that very one.

    Args:
        source: the host that builds it.
        targets: those that it is sent to.
        settings: where the image is defined.
        accept: whether an SSH host key seen for the first time is accepted.
        say: told where each host is.
        name: the image.
    """
    from runnerkit import ship

    built = want.of_images(settings, name)
    job = built.images[-1]
    alone = replace(built, images=(job,))
    others = [target for target in targets if target.address != source.address]
    sent: list[Outcome] = []

    def give(host: Host, wanted: Want, outcome: Outcome) -> None:
        _, have = converge.apply(
            host, wanted, progress(outcome, say), converge.IMAGES, _first_of_docker
        )
        outcome.images.append(_row(job, have, "built" if outcome.changes else "unchanged"))
        host.lock()
        reference = job_images.known_as(have.images[job.reference])
        registry = wanted.docker.registry_image

        def line(text: str) -> None:
            say(outcome.host, f"  {text}")

        with ship.source(host.machine, host.engine, reference, registry, line) as offer:

            def take(host: Host, wanted: Want, outcome: Outcome) -> None:
                _needs_docker(converge.look(host, wanted, converge.IMAGES))
                host.lock()
                say(outcome.host, f"[1/1] receive {reference}")
                least = wanted.docker.min_free_mb
                moved = offer.send(
                    host.machine, host.engine, least, lambda text: say(outcome.host, f"  {text}")
                )
                have = converge.look(host, wanted, converge.IMAGES)
                outcome.images.append({**_row(job, have, str(moved)), "moved": moved.bytes})

            wants = {target.name: alone for target in others}
            sent.extend(each(others, settings, wants, accept, say, take) if others else [])

    return [*each([source], settings, {source.name: built}, accept, say, give), *sent]


def listing(targets: list[Target], settings: Settings, accept: bool, say: Say) -> list[Outcome]:
    """What every host has of the job images that are defined here, and of others that the kit built."""

    def work(host: Host, wanted: Want, outcome: Outcome) -> None:
        have = converge.look(host, wanted, converge.IMAGES)
        _needs_docker(have)
        for job in wanted.images:
            outcome.images.append(_row(job, have, _state(job, have)))
        known = {job.name for job in wanted.images}
        for reference, image in sorted(have.images.items()):
            name = job_images.labels(image).get(NAME)
            if name and reference == f"{name}:latest" and name not in known:
                outcome.images.append(_row(JobImage(name, ""), have, "not defined here"))

    wanted = want.of_images(settings, ",".join(images.named(settings)))
    return each(targets, settings, {t.name: wanted for t in targets}, accept, say, work)


def _needs_docker(have: Facts) -> None:
    if not have.docker_runs:
        raise KitError("no Docker engine answers on the host", "./inv bootstrap sets one up")


def _first_of_docker(have: Facts) -> list[Change]:
    _needs_docker(have)
    return []


def _state(job: JobImage, have: Facts) -> str:
    if job.reference not in have.images:
        return "missing"
    reason = job_images.why(job, have)
    return f"stale: {reason}" if reason else "current"


def _row(job: JobImage, have: Facts, state: str) -> dict[str, Any]:
    image = have.images.get(job.reference)
    if image is None:
        return {"image": job.name, "state": state, "id": None}
    bases = job_images.built_on(image)
    made = str(image.get("Created") or "")[:19]  # some images have no date
    created = datetime.fromisoformat(made).replace(tzinfo=UTC).isoformat() if made else None
    return {
        "image": job.name,
        "state": state,
        "id": image["Id"],
        "hash": job_images.known_as(image).partition(":")[2],
        "created": created,
        "bytes": image["Size"],
        "bases": bases,
    }


def _push(host: Host, wanted: Want, have: Facts, registry: str, line: Any) -> None:
    from runnerkit import engine

    user = os.environ.get("REGISTRY_USER", "")
    auth = {"username": user, "password": os.environ.get("REGISTRY_PASSWORD", "")} if user else {}
    for job in wanted.images:
        for reference in (job_images.known_as(have.images[job.reference]), job.reference):
            there = f"{registry.rstrip('/')}/{reference}"
            repository, _, tag = there.rpartition(":")
            line(f"pushing {there}")
            host.engine.tag(reference, repository, tag, force=True)
            try:
                engine.push(host.engine, there, auth, lambda text: line(f"  {text}"))
            finally:
                host.engine.remove_image(there, noprune=True)
