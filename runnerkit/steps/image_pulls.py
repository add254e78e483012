"""The images from elsewhere that the host needs are on it: the manager's, its helper, the runners'.

The helper is looked up by one exact name in the local daemon before any pull, so that putting it
there under that name lets the first job start without the Internet.
"""

from collections.abc import Iterator
from functools import partial

from runnerkit.checks import disk
from runnerkit.errors import nearest
from runnerkit.facts import Facts, Needs
from runnerkit.images.reference import normal, repository
from runnerkit.plan import Change, Pull, mirrors
from runnerkit.want import Want

HELPER = "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper"
NAMED_BY_VERSION = (16, 8)  # helpers/container/helperimage/info.go at that tag
KNOWN = ("x86_64", "aarch64", "armv7l", "ppc64le", "s390x", "riscv64")
ARCHITECTURES = {"aarch64": "arm64", "armv7l": "arm", "armv6l": "arm"}


def needs(want: Want) -> Needs:
    named = [name for architecture in KNOWN for name in helpers(want, architecture)]
    return Needs(images=(want.manager.image, *dict.fromkeys(named), *_images(want)))


def changes(want: Want, have: Facts) -> Iterator[Change]:
    pending = list(_changes(want, have))
    if pending and (found := disk.full(want, have)):
        raise found.error()
    yield from pending


def helpers(want: Want, architecture: str) -> dict[str, tuple[str, ...]]:
    """The helper images that jobs need, by exact name, and where each may be pulled from.

    A runner's own `docker.helper_image` goes first; one with variables in it is left to the runner.
    Jobs of the instance executor have no containers, and so no helper.
    """
    found: dict[str, tuple[str, ...]] = {}
    for runner in want.runners:
        own = runner.spec.docker.get("helper_image", "")
        if own and "$" not in own:
            found[own] = (own,)
        elif not own and runner.spec.executor != "instance":
            found |= _usual_helper(want, architecture)
    return found


def _usual_helper(want: Want, architecture: str) -> dict[str, tuple[str, ...]]:
    """That of the manager's version.

    Without a version in the manager image's tag, or before 16.8, when the tag was the source's
    revision, the name cannot be known; the runner then pulls the helper itself.
    """
    if not want.release or want.numbers < NAMED_BY_VERSION:
        return {}
    tag = f"{ARCHITECTURES.get(architecture, architecture)}-{want.release}"
    repository = want.manager.image.partition("@")[0].rpartition(":")[0]
    beside = f"{repository}-helper:{tag}"
    name = f"{HELPER}:{tag}"
    return {name: (want.manager.helper_image,) if want.manager.helper_image else (beside, name)}


def _changes(want: Want, have: Facts) -> Iterator[Change]:
    image = want.manager.image
    pull = partial(
        Pull, logins=want.docker.registry_logins, reaches=mirrors(want.docker.registry_mirrors)
    )
    if normal(image) not in have.images:
        yield pull(f"pull {image}", image, (image,))
    for name, sources in helpers(want, have.architecture).items():
        if normal(name) not in have.images:
            yield pull(f"put the helper image in place as {name}", name, sources)
    own = {job.reference for job in want.images}
    for reference in _images(want):
        if reference not in own and normal(reference) not in have.images:
            near = nearest(repository(reference), want.names)
            title = f"pull {reference}{want.slip(reference)}"
            yield pull(title, reference, (reference,), near=near)


def _images(want: Want) -> dict[str, None]:
    """Those of the runners; one with a variable in it is known to each job alone."""
    return dict.fromkeys(one.image for one in want.runners if one.image and "$" not in one.image)
