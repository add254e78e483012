"""The helper image, which every job needs, and the job images are on the host where jobs look for them."""

from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.checks.host.system import PROCESSORS
from runnerkit.facts import Facts, Needs
from runnerkit.images.reference import normal, pinned, sources
from runnerkit.want import Want

HELPER = "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper"
NAMED_BY_VERSION = (16, 8)  # helpers/container/helperimage/info.go at that tag
ARCHITECTURES = {"aarch64": "arm64", "armv7l": "arm", "armv6l": "arm"}
ABSENT = Kind(
    "helper-absent",
    Level.ERROR,
    "the helper image {image} is not on the host: each job begins with it",
    "./inv bootstrap --host HOST puts it in place; where no registry has it, name one by [manager] "
    "helper_image",
)
UNBUILT = Kind(
    "job-image-absent",
    Level.ERROR,
    "the job image {image} of runner {runner} is not on the host, and no registry has it: its jobs fail",
    "./inv image.build {image} --host HOST",
)
NEVER = Kind(
    "image-never-pulled",
    Level.ERROR,
    "the image {image} of runner {runner} is not on the host, and its pull_policy is never",
    "./inv bootstrap --host HOST pulls it; or add if-not-present to pull_policy",
)
KINDS = (ABSENT, UNBUILT, NEVER)


def needs(want: Want) -> Needs:
    return Needs(images=(*named(want), *(one.image for one in want.runners if _fixed(one.image))))


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    for name in helpers(want, have.architecture):
        if normal(name) not in have.images:
            yield ABSENT.found(image=name)
    ours = {job.reference: job.name for job in want.images}
    for runner in want.runners:
        if runner.elsewhere or not _fixed(runner.image) or normal(runner.image) in have.images:
            continue
        if runner.image in ours:
            yield UNBUILT.found(image=ours[runner.image], runner=runner.key)
        elif runner.spec.pull_policy == ("never",):
            yield NEVER.found(image=runner.image, runner=runner.key)


def _fixed(image: str) -> bool:
    """Whether it is known before a job comes."""
    return bool(image) and "$" not in image


def named(want: Want) -> tuple[str, ...]:
    """The helper images that may be needed, whatever the host's processor."""
    known = (name for architecture in PROCESSORS for name in helpers(want, architecture))
    return tuple(dict.fromkeys(known))


def helpers(want: Want, architecture: str) -> dict[str, tuple[str, ...]]:
    """The helper images that jobs need, by exact name, and where each may be pulled from.

    A runner's own `docker.helper_image` goes first; one with variables in it is left to the runner.
    Jobs of the instance executor have no containers, and so no helper.
    """
    found: dict[str, tuple[str, ...]] = {}
    for runner in want.runners:
        own = runner.spec.docker.get("helper_image", "")
        if own and "$" not in own:
            found[own] = want.sources(own)
        elif not own and runner.spec.executor != "instance":
            found |= usual(want, architecture)
    return found


def usual(want: Want, architecture: str) -> dict[str, tuple[str, ...]]:
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
    named, prefixes = pinned(want.manager.helper_image), want.docker.prefix_mirrors
    *near, _ = sources(name, prefixes)
    return {name: sources(named, prefixes) if named else (*near, *want.sources(beside), name)}
