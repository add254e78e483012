"""What a host gets from a bundle in place of the network: changes, as steps yield them."""

from collections.abc import Iterable, Iterator

from runnerkit.bundle.contents import BundledImage, BundledPackages, BundledPlugin, blob
from runnerkit.bundle.reading import Bundle
from runnerkit.errors import KitError
from runnerkit.facts import Facts, systems
from runnerkit.images import platforms
from runnerkit.images.content import content, layers
from runnerkit.images.definition import JobImage
from runnerkit.images.reference import digest, normal, tagged
from runnerkit.plan import Load
from runnerkit.want import OwnCache

ANEW = "make the bundle anew with these settings: ./inv bundle.make"


def loads(bundle: Bundle, have: Facts, names: Iterable[str]) -> Iterator[Load]:
    """The images of these names that the host has not, or has in another state.

    Raises:
        KitError: the bundle has none of that name.
    """
    for name in names:
        image = bundle.contents.image(name)
        if image is None:
            raise KitError(f"{bundle.file} has no image {name}", ANEW)
        yield from _load(bundle, have, image, f"load {name} from the bundle")


def jobs(bundle: Bundle, have: Facts, images: Iterable[JobImage]) -> Iterator[Load]:
    """The same of job images.

    Raises:
        KitError: the bundle has none that is defined as the settings have it.
    """
    for job in images:
        image = bundle.contents.job(job.name, job.inputs)
        if image is None:
            other = any(one.job == job.name for one in bundle.contents.images)
            how = "as it was defined then, not as it is now" if other else "not"
            raise KitError(f"{bundle.file} has the job image {job.name} {how}", ANEW)
        yield from _load(bundle, have, image, f"load the job image {job.name} from the bundle")


def cache(bundle: Bundle, have: Facts, own: OwnCache) -> Iterator[Load]:
    """The image of the site's cache, where the host has not that very one: by its digest, where it is
    pinned, or as the bundle has it.

    Raises:
        KitError: the bundle has none.
    """
    if not digest(own.image) or normal(own.image) not in have.images:
        yield from loads(bundle, have, [tagged(own.image)])


def plugin(bundle: Bundle, name: str) -> BundledPlugin:
    """The fleeting plugin that settings name so.

    Raises:
        KitError: the bundle has none.
    """
    if not (found := bundle.contents.plugin(name)):
        raise KitError(f"{bundle.file} has no fleeting plugin {name}", ANEW)
    return found


def packages(bundle: Bundle, have: Facts) -> BundledPackages:
    """Docker's packages for the host.

    Raises:
        KitError: the bundle is for other systems.
    """
    system = systems.of(have.os)
    if not (found := bundle.contents.of(system)):
        what = f"{bundle.file} is for {bundle.contents.systems}; the host is {system}"
        fix = f"make one for it: ./inv bundle.make --for {system}; nothing was sent"
        raise KitError(what, fix)
    return found


def check(bundle: Bundle, have: Facts) -> None:
    """Refuse a host of another kind of processor.

    Raises:
        KitError: the bundle is for another.
    """
    ours = platforms.of(have.architecture).removeprefix("linux/")
    if ours != bundle.contents.architecture:
        what = f"{bundle.file} is for {bundle.contents.architecture}; the host is {ours}"
        fix = "make one on a machine of that kind, or with --from such a host; nothing was sent"
        raise KitError(what, fix)


def coming(bundle: Bundle, have: Facts, images: Iterable[BundledImage]) -> int:
    """The bytes that the bundle's parts take on the host's disk at the most: as they come, as the
    engine puts them aside, and unpacked; containerd's store keeps them packed, too."""
    contents, total = bundle.contents, 0
    copies = 3 if have.store == "containerd" else 2
    known = {layer for image in have.images.values() for layer in layers(image)}
    for image in images:
        missing = [one for one in image.layers if one.diff_id not in known]
        packed = contents.bytes([blob(one.digest) for one in missing])
        total += copies * packed + sum(one.size for one in missing)
        known |= {one.diff_id for one in missing}
    if not have.dockerd and (needed := contents.of(systems.of(have.os))):
        total += needed.installed + contents.bytes(list(needed.files.values()))
    return total


def is_there(image: BundledImage, have: Facts) -> bool:
    """Whether the host has that very image under all its names."""
    there = (have.images.get(normal(name)) for name in image.names)
    return all(one is not None and content(one) == image.content for one in there)


def _load(bundle: Bundle, have: Facts, image: BundledImage, title: str) -> Iterator[Load]:
    if not is_there(image, have):
        yield Load(title, image, bundle)
