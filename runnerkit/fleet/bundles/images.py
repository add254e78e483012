"""The images of a bundle: which they are, by the names that they get on hosts, and as an engine saves them."""

from collections.abc import Iterator

from runnerkit import resolve
from runnerkit.bundle.saved import Wanted
from runnerkit.checks.jobs import helper_image
from runnerkit.events import Progress
from runnerkit.facts import Facts
from runnerkit.fleet.bundles.gathering import pulled
from runnerkit.fleet.host import Host
from runnerkit.images.content import content
from runnerkit.images.definition import hashed_name
from runnerkit.images.reference import digest, normal, tagged
from runnerkit.settings.model import Settings
from runnerkit.want import Want


def named(host: Host, want: Want, have: Facts) -> Iterator[Wanted]:
    """Those that a host of these settings has, where the engine has them all."""
    jobs = {job.reference: job for job in want.images}
    helpers = helper_image.helpers(want, have.architecture)
    runners = (one.image for one in want.runners if one.image and "$" not in one.image)
    for name in dict.fromkeys((want.manager.image, *helpers, *runners)):
        if name in jobs:
            continue
        pin = helpers.get(name, (name,))[-1]
        both = (name, _tagged(host, name, pin)) if digest(pin) else (name,)
        yield Wanted(both, content(have.images[normal(name)]))
    for job in want.images:
        image = have.images[job.reference]
        both = (hashed_name(image), job.reference)
        yield Wanted(both, content(image), job.name, job.inputs)


def of_cache(host: Host, want: Want, settings: Settings) -> Iterator[Wanted]:
    """That of the site's cache, where the settings have one; it stays under the name that hosts give it."""
    from runnerkit.engine.client import find

    if not any(one.cache for one in settings.hosts.values()):
        return
    name = resolve.cache_image(settings)
    pulled(host, want, name)
    yield Wanted((_tagged(host, name, name),), content(find(host.engine, name)))


def _tagged(host: Host, name: str, pin: str) -> str:
    """Give an image the name, too, by which hosts know one that is pinned so."""
    from runnerkit.engine import failure

    if (own := tagged(pin)) != name:
        place, _, word = own.rpartition(":")
        with failure.translated(f"name {name} {own}"):
            host.engine.tag(name, place, word)
    return own


def saved(host: Host, wanted: list[Wanted]) -> Iterator[bytes]:
    """What the engine saves of them all, a layer that they share once; it is told how far it is."""
    from runnerkit.engine import failure
    from runnerkit.engine.client import saved_all

    done = 0
    with failure.translated("save the images"):
        for data in saved_all(host.engine, [name for one in wanted for name in one.names]):
            done += len(data)
            host.tell(Progress(done))
            yield data
