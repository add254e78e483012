"""Job images on many hosts: built, and looked at."""

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime

from runnerkit import converge, resolve
from runnerkit.errors import KitError
from runnerkit.events import Phase
from runnerkit.facts import Facts
from runnerkit.fleet.host import Host
from runnerkit.fleet.run import Fleet, Outcome, Unfinished
from runnerkit.images import catalog
from runnerkit.images.content import content, instant
from runnerkit.images.definition import NAME, JobImage, built_on, hashed_name, labels
from runnerkit.plan import Build, Change
from runnerkit.steps import job_images
from runnerkit.want import Want

NO_ENGINE = "no Docker engine answers on the host"


@dataclass(frozen=True)
class ImageRow:
    """A job image on a host, or its absence: `id` is then None.

    `id` is what the host's engine calls it, `content` what it is to any engine, `store` the engine's
    image store. `hash` is the name's part that says what is in it, `created` a time of ISO 8601,
    `bytes` its size, `bases` the ids of what it was built on, `moved` the bytes that crossed the
    network for it.
    """

    image: str
    state: str
    id: str | None = None
    hash: str = ""
    created: str | None = None
    bytes: int = 0
    bases: dict[str, str] = field(default_factory=dict)
    moved: int | None = None
    content: str = ""
    store: str = ""


Rows = tuple[ImageRow, ...]


def build(
    fleet: Fleet, names: str, pull: bool = False, no_cache: bool = False, registry: str = ""
) -> list[Outcome[Rows]]:
    """Build job images on every host where they are not as they are defined.

    Args:
        fleet: the hosts.
        names: the images, comma-separated.
        pull: look whether their bases have moved.
        no_cache: build them whatever the host has, without the builder's cache.
        registry: where the first host pushes them to afterwards; "" for nowhere.
    """

    def work(host: Host, wanted: Want) -> Rows:
        def first(have: Facts) -> list[Change]:
            needs_docker(have)
            jobs = [*wanted.images]
            bases = job_images.pulls(jobs, wanted, have, again=pull) if pull or no_cache else ()
            reasons = dict.fromkeys((job.name for job in jobs), "asked for without cache")
            forced = job_images.builds(jobs, reasons, wanted, have, True) if no_cache else ()
            return [*bases, *forced]

        have = converge.apply(host, wanted, converge.IMAGES, first=first)
        built = {change.image.name for change in host.changes if isinstance(change, Build)}
        rows = tuple(
            row(job, have, "built" if job.name in built else "unchanged") for job in wanted.images
        )
        try:
            if registry and host.name == fleet.targets[0].name:  # one host is given the login
                _push(host, wanted, have, registry)
        except KitError as error:
            raise Unfinished(error, rows) from None
        return rows

    registry = registry_named(registry)
    wanted = resolve.of_images(fleet.settings, names)
    return fleet.each(
        {one.name: resolve.with_access(wanted, fleet.settings, one.name) for one in fleet.targets},
        work,
    )


def registry_named(registry: str) -> str:
    """A registry to push to, or a path in it, as images' names begin.

    Raises:
        KitError: it is an URL.
    """
    if "://" in registry:
        raise KitError(
            f"{registry}: a registry is named without its protocol",
            f"say {registry.partition('://')[2]}",
        )
    return registry.rstrip("/")


def login() -> dict[str, str]:
    """What the environment logs in with where images are pushed; {} for this machine's own login."""
    user = os.environ.get("REGISTRY_USER", "")
    return {"username": user, "password": os.environ.get("REGISTRY_PASSWORD", "")} if user else {}


def listing(fleet: Fleet) -> list[Outcome[Rows]]:
    """What every host has of the job images that are defined here, and of others that the kit built."""

    def work(host: Host, wanted: Want) -> Rows:
        have = converge.look(host, wanted, converge.IMAGES)
        needs_docker(have)
        rows = [row(job, have, _state(job, have)) for job in wanted.images]
        known = {job.name for job in wanted.images}
        for reference, image in sorted(have.images.items()):
            name = labels(image).get(NAME, "")
            ours = catalog.allowed(name) and name not in known
            if ours and reference == f"{name}:latest":
                rows.append(row(JobImage(name, ""), have, "not defined here"))
        return tuple(rows)

    wanted = resolve.of_images(fleet.settings, ",".join(catalog.named(fleet.settings)))
    return fleet.each({target.name: wanted for target in fleet.targets}, work)


def needs_docker(have: Facts) -> None:
    """Refuse to go on where no engine answers."""
    if not have.docker_runs:
        raise KitError(NO_ENGINE, "./inv bootstrap --host HOST sets one up")


def row(job: JobImage, have: Facts, state: str, moved: int | None = None) -> ImageRow:
    """What is to be said of a job image on a host."""
    image = have.images.get(job.reference)
    if image is None:
        return ImageRow(job.name, state)
    time = instant(str(image.get("Created") or ""))  # some images have no date
    return ImageRow(
        image=job.name,
        state=state,
        id=str(image["Id"]),
        hash=hashed_name(image).partition(":")[2],
        created=datetime.fromtimestamp(time // 1, UTC).isoformat() if time else None,
        bytes=int(image["Size"]),
        bases=built_on(image),
        moved=moved,
        content=content(image),
        store=have.store,
    )


def _state(job: JobImage, have: Facts) -> str:
    if job.reference not in have.images:
        return "missing"
    reason = job_images.why(job, have)
    return f"stale: {reason}" if reason else "current"


def _push(host: Host, wanted: Want, have: Facts, registry: str) -> None:
    from runnerkit.engine import failure, transfer

    for job in wanted.images:
        for reference in (hashed_name(have.images[job.reference]), job.reference):
            name = f"{registry}/{reference}"
            repository, _, tag = name.rpartition(":")
            host.tell(Phase(f"pushing {name}"))
            with failure.translated(f"push {name}"):
                host.engine.tag(reference, repository, tag, force=True)
                try:
                    transfer.push(host.engine, name, login(), host.tell)
                finally:
                    host.engine.remove_image(name, noprune=True)
