"""The images of a bundle into a registry of one's own."""

from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from runnerkit import resolve
from runnerkit.bundle.contents import BundledImage
from runnerkit.bundle.reading import Bundle
from runnerkit.events import Began
from runnerkit.fleet.bundles.verification import whole
from runnerkit.fleet.host import Host
from runnerkit.fleet.job_images import login, registry_named
from runnerkit.fleet.run import Fleet, Outcome
from runnerkit.images.reference import normal
from runnerkit.machine import names
from runnerkit.plan import Load
from runnerkit.settings import targets
from runnerkit.want import Want


@dataclass(frozen=True)
class Pushed:
    """The names that the images have in the registry."""

    names: tuple[str, ...]


def push(fleet: Fleet, file: Path, registry: str, source: str = "local") -> Outcome[Pushed]:
    """Have a host's engine take each image, and push it.

    Args:
        fleet: the settings.
        file: the bundle.
        registry: registry.example.com:5000, or a path in it.
        source: the host whose engine does it, as --host names one.

    Raises:
        KitError: the bundle is damaged, or the registry is named wrongly.
    """
    place = registry_named(registry)
    bundle = whole(file, fleet.settings.bundle.signed_by, fleet.listener)
    target = targets.one(source, fleet.settings, names.known)

    def work(host: Host, _: Want) -> Pushed:
        host.lock()
        done: list[str] = []
        for number, image in enumerate(bundle.contents.images):
            host.tell(Began(f"push {image.names[0]}", number + 1, len(bundle.contents.images)))
            done += _pushed(host, bundle, image, place)
        return Pushed(tuple(done))

    wanted = resolve.of_images(fleet.settings, "")
    (outcome,) = fleet.only(target).each({target.name: wanted}, work)
    return outcome


def _pushed(host: Host, bundle: Bundle, image: BundledImage, place: str) -> list[str]:
    from runnerkit.engine import failure, load, transfer
    from runnerkit.engine.client import find

    there = tuple(f"{place}/{normal(name)}" for name in image.names)
    new = [name for name in there if not find(host.engine, name)]
    moved = replace(image, names=there)
    with failure.translated(f"push {image.names[0]}"):
        try:
            load.load(host.engine, host.machine, Load("load it", moved, bundle), host.tell)
            for name in there:
                transfer.push(host.engine, name, login(), host.tell)
        finally:
            for name in new:
                if find(host.engine, name):
                    host.engine.remove_image(name)
    return list(there)
