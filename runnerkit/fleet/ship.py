"""A job image from one host to many."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from runnerkit import converge, resolve
from runnerkit.errors import KitError
from runnerkit.events import Began
from runnerkit.facts import Facts
from runnerkit.fleet.host import Host
from runnerkit.fleet.job_images import NO_ENGINE, Rows, needs_docker, row
from runnerkit.fleet.run import Fleet, Outcome
from runnerkit.images.definition import hashed_name
from runnerkit.machine import names
from runnerkit.plan import Change, Pull
from runnerkit.settings import targets
from runnerkit.settings.targets import Target
from runnerkit.want import Want


def ship(fleet: Fleet, source: str, name: str) -> list[Outcome[Rows]]:
    """Build a job image on one host and send it to others, where they have not got that very one.

    Args:
        fleet: the hosts that it is sent to.
        source: the host that builds it, as --host names one.
        name: the image.
    """
    from runnerkit.engine import failure, ship

    origin = targets.one(source, fleet.settings, names.known)
    wanted = resolve.of_images(fleet.settings, name)
    wanted = resolve.with_access(wanted, fleet.settings, origin.name)
    job = wanted.images[-1]
    others = [target for target in fleet.targets if target.address != origin.address]
    sent: list[Outcome[Rows]] = []

    def give(host: Host, wanted: Want) -> Rows:
        with _or_elsewhere(origin):
            have = converge.apply(host, wanted, converge.IMAGES, first=_nothing_first)
        host.lock()
        reference = hashed_name(have.images[job.reference])
        image, logins = wanted.docker.registry_image, wanted.docker.registry_logins
        registry = Pull(f"pull {image}", image, (image,), logins=logins)
        with (
            failure.translated(f"send {reference}"),
            ship.source(host.machine, host.engine, reference, registry, host.tell) as offer,
        ):

            def take(host: Host, wanted: Want) -> Rows:
                needs_docker(converge.look(host, wanted, converge.IMAGES))
                host.lock()
                host.tell(Began(f"receive {reference}", 1, 1))
                least = wanted.docker.min_free_mb
                with failure.translated(f"receive {reference}"):
                    moved = offer.send(host.machine, host.engine, least, host.tell)
                if moved.bytes:
                    host.hold.record([(0, f"receive {reference} from {origin.name}")])
                have = converge.look(host, wanted, converge.IMAGES)
                return (row(job, have, str(moved), moved.bytes),)

            alone = replace(wanted, images=(job,))
            wants = {target.name: alone for target in others}
            sent.extend(fleet.only(*others).each(wants, take))
        return (row(job, have, "built" if host.changes else "unchanged"),)

    return [*fleet.only(origin).each({origin.name: wanted}, give), *sent]


@contextmanager
def _or_elsewhere(origin: Target) -> Iterator[None]:
    """Where this machine has no engine, or cannot pull, a host that has what it needs may build."""
    from runnerkit.engine.transfer import NO_PULL

    try:
        yield
    except KitError as error:
        if origin.address != "local" or not error.what.startswith((NO_PULL, NO_ENGINE)):
            raise
        fix = f"let a host build it that can: --from NAME; or for this machine: {error.fix}"
        raise KitError(error.what, fix) from None


def _nothing_first(have: Facts) -> list[Change]:
    needs_docker(have)
    return []
