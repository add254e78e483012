"""Images that came by the kit, and Docker itself, taken away where nobody else has anything of them."""

from collections.abc import Iterator
from dataclasses import dataclass

from runnerkit.actions import leavings
from runnerkit.facts import Facts, Needs
from runnerkit.facts.belongings import OwnedImage
from runnerkit.files import memory, previous, share, site_cache
from runnerkit.images.reference import normal, repository
from runnerkit.plan import Change, Hint, Script
from runnerkit.printable import counted
from runnerkit.templates import render
from runnerkit.want import Want

INSTALLED = f"{memory.FOLDER}/installed"  # the packages that came with Docker, by the kit
LEAVES = f"{memory.FOLDER}/docker-leaves"  # once that has begun, nothing of Docker can be asked
OWN_VOLUMES = ("runnerkit-registry",)
ENGINE = ("docker.io", "docker-ce")
HINTS = (Hint("", "mend on the host what is said above, then run again: it goes on from there"),)


def leaves(have: Facts) -> bool:
    """Whether Docker's removal was begun."""
    return LEAVES in have.paths


@dataclass(frozen=True)
class ImageRemoval:
    """The images that came by the kit, and the job images that it built."""

    def needs(self, want: Want) -> Needs:
        return Needs(belongings=True)

    def changes(self, want: Want, have: Facts) -> Iterator[Change]:
        names = going(want, have) if share.of(want, have).alone else []
        volumes = [one.name for one in have.belongings.volumes if one.name in OWN_VOLUMES]
        if names or volumes:
            text = render("remove-images.sh.j2", images=names, volumes=volumes)
            shown = ", ".join(names) or volumes[0]
            what = counted(len(names), "image") if names else counted(len(volumes), "volume")
            yield Script(f"remove {what}: {shown}", text, hints=HINTS)


def going(want: Want, have: Facts) -> list[str]:
    """The names of the images that go: not of those that a container of somebody's is made of."""
    part = share.of(want, have)  # its jobs have ended by then
    used = {
        one.image
        for one in have.belongings.containers
        if one.name not in _own(want) and not part.has(one.runner)
    }
    return [
        name
        for one in have.belongings.images
        for name in one.names
        if one.id not in used and _ours(want, have, one, name)
    ]


def _ours(want: Want, have: Facts, image: OwnedImage, name: str) -> bool:
    """Whether that name came by the kit. Of what somebody builds on a job image, the labels tell the
    same, and the name does not."""
    built = {*want.names, *(one.name for one in want.images)}
    of_job = image.job_image in built and repository(name) == image.job_image
    return of_job or name == previous.tag(want) or normal(name) in memory.parsed(have).images


def managers(want: Want) -> tuple[str, ...]:
    """The names of its container, and of those that a cut-off run left on its way to another."""
    name = want.manager.container
    return name, f"{name}.next", f"{name}.before"


def _own(want: Want) -> tuple[str, ...]:
    """The names of the kit's own containers."""
    return (*managers(want), site_cache.NAME)


@dataclass(frozen=True)
class EngineRemoval:
    """Docker itself, where the kit installed it and nobody else has anything in it."""

    def needs(self, want: Want) -> Needs:
        return Needs(files=(INSTALLED,), paths=(LEAVES,), belongings=True)

    def changes(self, want: Want, have: Facts) -> Iterator[Change]:
        if not share.of(want, have).alone or INSTALLED not in have.files:
            return
        if leaves(have) or not stays(want, have):
            count = counted(len({*have.files[INSTALLED].text.split()}), "package")
            text = render(
                "remove-docker.sh.j2", installed=INSTALLED, leaves=LEAVES, folder=memory.FOLDER
            )
            yield Script(f"remove Docker and what came with it: {count}", text, hints=HINTS)


def waits(want: Want, have: Facts) -> bool:
    """Whether Docker came by the kit, and stays as long as others have something in it."""
    return _installed(have) and bool(stays(want, have))


def _installed(have: Facts) -> bool:
    return INSTALLED in have.files and bool({*have.files[INSTALLED].text.split()} & {*ENGINE})


def stays(want: Want, have: Facts) -> str:
    """Why Docker stays on the host; "" where it goes."""
    if not _installed(have):
        return "it was there before the kit, or the kit did not note that it installed it"
    if needed := [one for one in have.belongings.needed if one in ENGINE]:
        return f"other packages need {', '.join(needed)}"
    part, there = share.of(want, have), have.belongings
    ours = [one for one in there.containers if one.name in _own(want) or part.has(one.runner)]
    caches = {
        *leavings.volumes(have, part),
        *(*OWN_VOLUMES, site_cache.NAME),
        *(v for one in ours for v in one.volumes),
    }
    known = (
        have.store != "containerd"
    )  # there an image that somebody built seems to be a registry's
    others = {
        "containers": [one.name for one in there.containers if one not in ours],
        "volumes": [one.name for one in there.volumes if one.name not in caches],
        "images": [
            name
            for one in there.images
            for name in one.names
            if not (known and one.elsewhere) and not _ours(want, have, one, name)
        ],
    }
    return "; ".join(
        f"other {kind} are in it: {', '.join(names[:3])}" for kind, names in others.items() if names
    )
