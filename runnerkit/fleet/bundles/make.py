"""A bundle made on a machine that reaches things: by its engine, from what the settings say."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

import runnerkit
from runnerkit import converge, resolve
from runnerkit.bundle import saved, signature, writing
from runnerkit.bundle.contents import Contents
from runnerkit.bundle.saved import Wanted
from runnerkit.checks.jobs import helper_image
from runnerkit.errors import KitError
from runnerkit.events import Began, Detail, Progress
from runnerkit.facts import Facts, distributions
from runnerkit.fleet.bundles import wheels
from runnerkit.fleet.bundles.packages import gathered
from runnerkit.fleet.host import Host
from runnerkit.fleet.job_images import needs_docker
from runnerkit.fleet.run import Fleet, Outcome
from runnerkit.images import platforms
from runnerkit.images.content import content
from runnerkit.images.definition import hashed_name
from runnerkit.images.reference import normal
from runnerkit.machine import names
from runnerkit.plan import Change
from runnerkit.printable import counted
from runnerkit.settings import targets
from runnerkit.settings.model import GitLab, Settings
from runnerkit.want import Want

if TYPE_CHECKING:
    import docker


@dataclass(frozen=True)
class Made:
    """A bundle that was made: the file, its bytes, and what is in it."""

    file: Path
    bytes: int
    contents: Contents


@dataclass(frozen=True)
class Order:
    """What is to be made: the file, for which systems (comma-separated, debian-12,debian-13) and which
    processor (amd64; "" for whatever the host is), whether the kit's own libraries are in it, and the
    file of the private key that signs it ("" for none)."""

    file: Path
    systems: str
    arch: str = ""
    kit: bool = False
    key: str = ""


def make(fleet: Fleet, order: Order, source: str = "local") -> Outcome[Made]:
    """Gather all that hosts of these settings need, and write it.

    Args:
        fleet: the settings.
        order: what is to be made.
        source: the host that pulls, builds and saves, as --host names one.

    Raises:
        KitError: a name is wrong.
    """
    wanted_systems = [_system(word) for word in order.systems.split(",") if word.strip()]
    if not wanted_systems:
        raise KitError("no system is named", "say which hosts it is for: --for debian-12,debian-13")
    target = targets.one(source, fleet.settings, names.known)
    wanted, sign = _of_all(fleet.settings), signature.signer(order.key)

    def work(host: Host, wanted: Want) -> Made:
        with writing.gathering(order.file) as depot:
            have = converge.apply(host, wanted, converge.BUNDLED, first=_engine)
            ours = platforms.of(have.architecture).removeprefix("linux/")
            if order.arch and order.arch != ours:
                what = f"{host.machine.where()} is {ours}, the bundle shall be for {order.arch}"
                raise KitError(what, "make it on a host of that kind: --from NAME")
            host.lock()
            total, every = 1 + len(wanted_systems), list(_images(wanted, have))
            host.tell(Began(f"save {counted(len(every), 'image')}", 1, total))
            stream = _counted(host, _saved(host.engine, every))
            images = saved.gather(stream, every, depot)
            packages = []
            for number, system in enumerate(wanted_systems, 2):
                host.tell(Began(f"download Docker for {system}", number, total))
                base = fleet.settings.bundle.bases.get(system) or system.replace("-", ":")
                packages.append(gathered(host, wanted, depot, system, base, ours))
            writing.layout(depot, images)
            contents = Contents(
                kit=runnerkit.__version__,
                made=datetime.now(UTC).isoformat(timespec="seconds"),
                architecture=ours,
                images=tuple(images),
                packages=tuple(packages),
                wheels=wheels.gathered(depot) if order.kit else (),
                parts=dict(depot.parts),
            )
            host.tell(Detail(f"writing {order.file}"))
            size = writing.write(order.file, contents, depot.read, sign)
        return Made(order.file, size, contents)

    (outcome,) = fleet.only(target).each({target.name: wanted}, work)
    return outcome


def _system(word: str) -> str:
    """A system that has packages for apt, by the one table of distributions."""
    name = word.strip().lower()
    known, _, version = name.partition("-")
    row = distributions.of({"ID": known, "VERSION_ID": version}) if version else None
    if known not in distributions.DISTRIBUTIONS or not row or row.manager != "apt":
        raise KitError(
            f"--for {name}: no bundle can be made for it",
            "name systems of apt by their ID and VERSION_ID: debian-12, ubuntu-24.04",
        )
    return name


def _of_all(settings: Settings) -> Want:
    """What every runner of the settings needs; tokens are not asked for."""
    runners = {
        key: replace(one, token=None, registration_token=None)
        for key, one in settings.runners.items()
    }
    url = settings.gitlab.url or "https://gitlab.invalid"
    docker = replace(
        settings.docker, registry_mirrors=()
    )  # the hosts', which this one may not reach
    alone = replace(settings, runners=runners, hosts={}, gitlab=GitLab(url=url), docker=docker)
    wanted = resolve.of_host(alone, "", empty=True)
    pinned = [
        one for one in (wanted.manager.image, *(r.image for r in wanted.runners)) if "@" in one
    ]
    if pinned:
        raise KitError(
            f"{pinned[0]} is pinned by its digest, which an engine learns from a registry alone",
            "name it by its tag: a bundle has each image by its digest itself",
        )
    return wanted


def _engine(have: Facts) -> list[Change]:
    needs_docker(have)
    return []


def _images(want: Want, have: Facts) -> Iterator[Wanted]:
    """What is saved, by all the names that it gets on hosts."""
    jobs = {job.reference: job for job in want.images}
    others = (
        want.manager.image,
        *helper_image.helpers(want, have.architecture),
        *(one.image for one in want.runners if one.image and "$" not in one.image),
    )
    for name in dict.fromkeys(one for one in others if one not in jobs):
        yield Wanted((name,), content(have.images[normal(name)]))
    for job in want.images:
        image = have.images[job.reference]
        both = (hashed_name(image), job.reference)
        yield Wanted(both, content(image), job.name, job.inputs)


def _saved(client: "docker.APIClient", wanted: list[Wanted]) -> Iterator[bytes]:
    from runnerkit.engine import failure
    from runnerkit.engine.client import saved_all

    with failure.translated("save the images"):
        yield from saved_all(client, [name for one in wanted for name in one.names])


def _counted(host: Host, stream: Iterator[bytes]) -> Iterator[bytes]:
    done = 0
    for data in stream:
        done += len(data)
        host.tell(Progress(done))
        yield data
