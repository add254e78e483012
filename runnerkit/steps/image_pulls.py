"""The images from elsewhere that the host needs are on it: the manager's, its helper, the runners'.

The helper is looked up by one exact name in the local daemon before any pull, so that putting it
there under that name lets the first job start without the Internet.
"""

from collections.abc import Iterator
from functools import partial

from runnerkit.bundle import supply
from runnerkit.checks.host import disk
from runnerkit.checks.jobs import helper_image
from runnerkit.errors import nearest
from runnerkit.facts import Facts, Needs
from runnerkit.images.reference import digest, normal, tagged
from runnerkit.plan import Change, Load, Pull, mirrors
from runnerkit.want import Want


def needs(want: Want) -> Needs:
    return Needs(images=(want.manager.image, *helper_image.named(want), *_images(want)))


def changes(want: Want, have: Facts) -> Iterator[Change]:
    pending, coming = list[Change](), 0
    if want.bundle:
        supply.check(want.bundle, have)
        pending += supply.loads(want.bundle, have, _names(want, have))
        others = [*supply.jobs(want.bundle, have, want.images)]
        others += supply.cache(want.bundle, have, want.cache) if want.cache else ()
        loads = [one.image for one in (*pending, *others) if isinstance(one, Load)]
        coming = supply.coming(want.bundle, have, loads)
    else:
        pending += _changes(want, have)
    if pending and (found := disk.full(want, have, coming)):
        raise found.error()
    yield from pending


def _names(want: Want, have: Facts) -> list[str]:
    """All that are not built here."""
    own = {job.reference for job in want.images}
    named = (want.manager.image, *helper_image.helpers(want, have.architecture), *_images(want))
    return [name for name in dict.fromkeys(named) if name not in own]


def _changes(want: Want, have: Facts) -> Iterator[Change]:
    image = want.manager.image
    pull = partial(
        Pull, logins=want.docker.registry_logins, reaches=mirrors(want.docker.fixed_mirrors)
    )
    if normal(image) not in have.images:
        yield pull(f"pull {image}", image, want.sources(image))
    for name, sources in helper_image.helpers(want, have.architecture).items():
        if not _holds(have, name, sources[-1]):
            yield pull(f"put the helper image in place as {name}", name, sources)
    own = {job.reference for job in want.images}
    for reference in _images(want):
        if reference not in own and normal(reference) not in have.images:
            near = nearest(reference, want.names)
            title = f"pull {reference}{want.slip(reference)}"
            yield pull(title, reference, want.sources(reference), near=near)


def _holds(have: Facts, name: str, source: str) -> bool:
    """Whether the host has the image, and where that is pinned this very one."""
    if not (image := have.images.get(normal(name))):
        return False
    pulled = any(one.endswith(digest(source)) for one in image.get("RepoDigests") or ())
    bundled = normal(tagged(source)) in (image.get("RepoTags") or ())
    return not digest(source) or pulled or bundled


def _images(want: Want) -> dict[str, None]:
    """Those of the runners; one with a variable in it is known to each job alone."""
    return dict.fromkeys(one.image for one in want.runners if one.image and "$" not in one.image)
