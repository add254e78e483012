"""Which gitlab-runner the hosts get: the one asked for, the real one, or the stand-in."""

import os
import platform
from dataclasses import dataclass

from docker.models.images import Image

from runnerkit.place import ROOT
from sandbox.errors import SandboxError, translated
from sandbox.image_store import ImageStore
from sandbox.names import IMAGES

VERSION, NEXT = "v19.3.0", "v19.3.1"  # NEXT is there to upgrade to
NAME = "gitlab/gitlab-runner"
HUB, STAND_IN = f"{IMAGES}/hub/gitlab-runner", f"{IMAGES}/gitlab-runner"
CONTEXT = ROOT / "sandbox" / "runner"
ARCHITECTURE = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())


@dataclass(frozen=True)
class RunnerImages:
    """The manager's image and its helper's, by the names that the mirror serves them under."""

    name: str
    images: dict[str, Image]

    @property
    def stand_in(self) -> bool:
        """Whether it only stands in for the real program; it says so itself."""
        return self.images[self.name].labels.get("runnerkit.stand-in") == "true"


def choose(store: ImageStore, wanted: str | None) -> RunnerImages:
    """The image that is asked for, else the real one if it can be had, else the stand-in."""
    wanted = wanted or os.environ.get("RUNNERKIT_RUNNER_IMAGE")
    if wanted:
        return _given(store, wanted)
    if store.find(f"{STAND_IN}:{VERSION}"):
        return _stand_in(store)  # what was decided once is not asked again
    images = {}
    for name, ours in ((f"{NAME}:{VERSION}", f"{HUB}:{VERSION}"), (_helper(NAME), _helper(HUB))):
        if image := store.find(ours) or store.hub(name, ours):
            images[name] = image
        elif not images:
            return _stand_in(store)
    return RunnerImages(f"{NAME}:{VERSION}", images)


def _given(store: ImageStore, wanted: str) -> RunnerImages:
    repository, _, tag = wanted.partition("@")[0].rpartition(":")
    if not repository or "/" in tag:
        repository, tag = wanted, "latest"
    image = store.find(wanted)
    if image is None:
        try:
            with translated(f"pull {wanted}"):
                store.say(f"pulling {wanted}")
                image = store.client.images.pull(wanted)
                store.pulled(wanted)
        except SandboxError as error:
            raise SandboxError(
                f"the runner image {wanted} is neither on this machine nor to be pulled: {error.what}",
                "`docker pull` or `docker load` it first, or leave the choice to the sandbox",
            ) from error
    images = {f"{NAME}:{tag}": image}
    if helper := store.find(_helper(repository, tag)):
        images[_helper(NAME, tag)] = helper
    return RunnerImages(f"{NAME}:{tag}", images)


def _stand_in(store: ImageStore) -> RunnerImages:
    """The stand-in; a change to any of its files makes it anew."""
    base = store.base("bookworm")
    found = [
        path for path in CONTEXT.rglob("*") if path.is_file() and path.suffix not in (".pyc", ".md")
    ]
    files = sorted(str(path.relative_to(CONTEXT)) for path in found)
    images = {
        name: store.build(name.replace(NAME, STAND_IN), CONTEXT, dockerfile, base, *more)
        for name, dockerfile, more in (
            (f"{NAME}:{VERSION}", "Dockerfile", files),
            (_helper(NAME), "Dockerfile.helper", ()),
        )
    }
    now, helper = images.values()
    images[f"{NAME}:{NEXT}"] = store.build(f"{STAND_IN}:{NEXT}", CONTEXT, "Dockerfile.next", now)
    return RunnerImages(f"{NAME}:{VERSION}", images | {_helper(NAME, NEXT): helper})


def _helper(repository: str, tag: str = VERSION) -> str:
    return f"{repository}-helper:{ARCHITECTURE}-{tag}"
