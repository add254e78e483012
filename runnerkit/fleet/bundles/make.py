"""A bundle made on a machine that reaches things: by its engine, from what the settings say."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

import runnerkit
from runnerkit import converge, resolve
from runnerkit.bundle import saved, signature, writing
from runnerkit.bundle.contents import Contents
from runnerkit.checks.jobs import helper_image
from runnerkit.errors import KitError
from runnerkit.events import Began, Detail
from runnerkit.facts import Facts, distributions, systems
from runnerkit.fleet.bundles import images, plugins, wheels
from runnerkit.fleet.bundles.packages import PACKERS, base, gathered
from runnerkit.fleet.host import Host
from runnerkit.fleet.job_images import needs_docker
from runnerkit.fleet.run import Fleet, Outcome
from runnerkit.images import platforms
from runnerkit.images.reference import tagged
from runnerkit.machine import names
from runnerkit.plan import Change
from runnerkit.printable import counted
from runnerkit.settings import targets
from runnerkit.settings.model import GitLab, Settings
from runnerkit.want import Want


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
    words = [word for word in order.systems.split(",") if word.strip()]
    wanted_systems = [*dict.fromkeys(map(_system, words))]
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
            bases = [base(host, wanted, one, fleet.settings.bundle.bases) for one in wanted_systems]
            every = [
                *images.named(host, wanted, have),
                *images.of_cache(host, wanted, fleet.settings),
            ]
            total = 1 + len(wanted_systems)
            host.tell(Began(f"save {counted(len(every), 'image')}", 1, total))
            found = saved.gather(images.saved(host, every), every, depot)
            packages = []
            for number, one in enumerate(bases, 2):
                host.tell(Began(f"download Docker for {one.system}", number, total))
                packages.append(gathered(host, wanted, depot, one, ours))
            fetched = tuple(plugins.gathered(host, wanted, depot))
            writing.layout(depot, found)
            contents = Contents(
                kit=runnerkit.__version__,
                made=datetime.now(UTC).isoformat(timespec="seconds"),
                architecture=ours,
                images=tuple(found),
                packages=tuple(packages),
                plugins=fetched,
                wheels=wheels.gathered(depot) if order.kit else (),
                parts=dict(depot.parts),
            )
            host.tell(Detail(f"writing {order.file}"))
            size = writing.write(order.file, contents, depot.read, sign)
        return Made(order.file, size, contents)

    (outcome,) = fleet.only(target).each({target.name: wanted}, work)
    return outcome


def _system(word: str) -> str:
    """A system that a bundle can be made for, by the one table of distributions."""
    known, _, version = word.strip().lower().partition("-")
    os = {"ID": known, "VERSION_ID": version}
    row = distributions.of(os) if re.fullmatch(r"\d+(\.\d+)?", version) else None
    if known not in distributions.DISTRIBUTIONS or not row or row.manager not in PACKERS:
        raise KitError(
            f"--for {word.strip()}: no bundle can be made for it",
            "name systems of apt or dnf by their ID and VERSION_ID: debian-12, ubuntu-24.04, rocky-9",
        )
    return systems.of(os)


def _of_all(settings: Settings) -> Want:
    """What every runner of the settings needs; tokens are not asked for."""
    runners = {
        key: replace(one, token=None, registration_token=None)
        for key, one in settings.runners.items()
    }
    url = settings.gitlab.url or "https://gitlab.invalid"
    source = settings.docker.source
    if source == "script":
        what = '[docker] source is "script", and what a script fetches cannot be put into a bundle'
        raise KitError(what, 'set source = "docker-ce": they are the same packages')
    docker = replace(
        settings.docker,
        registry_mirrors=(),  # the hosts', which this one may not reach
        source="distro" if source == "present" else source,
    )
    alone = replace(settings, runners=runners, hosts={}, gitlab=GitLab(url=url), docker=docker)
    wanted = resolve.of_host(alone, "", empty=True)
    names = (wanted.manager.image, *(r.image for r in wanted.runners), *helper_image.named(wanted))
    pinned = [one for one in names if "@" in one]
    if pinned:
        raise KitError(
            f"{pinned[0]} is pinned by its digest, which an engine learns from a registry alone",
            f"pin it by its tag, which a bundle can bring: {tagged(pinned[0])}",
        )
    return wanted


def _engine(have: Facts) -> list[Change]:
    needs_docker(have)
    return []
