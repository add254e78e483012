"""An image of a bundle put onto a host: only the layers that it lacks, by `docker load`.

Either store looks a layer up by all that is below it, and needs no file of one that it has (moby,
image/tarexport/load.go; containerd, rootfs/apply.go).
"""

import json

import docker

from runnerkit.bundle.contents import BundledImage, Contents, blob
from runnerkit.bundle.writing import LAYOUT_TEXT, index_of
from runnerkit.engine import space
from runnerkit.engine.client import find
from runnerkit.errors import KitError
from runnerkit.events import Detail, Progress, Tell
from runnerkit.images.content import layers, store
from runnerkit.machine import upload
from runnerkit.machine.failure import Failed
from runnerkit.machine.machine import Machine
from runnerkit.place import BUNDLE
from runnerkit.plan import Load, hint
from runnerkit.redact import mask, plain
from runnerkit.templates import render


def load(client: docker.APIClient, machine: Machine, change: Load, tell: Tell) -> int:
    """Send what the host lacks, and have its engine take it.

    Args:
        client: the host's engine.
        machine: the host.
        change: which image, of which bundle.
        tell: told how far it is.

    Returns:
        The bytes that were sent.

    Raises:
        KitError: the host has no room, lacks what a difference takes for there, or its engine refuses.
    """
    bundle, image = change.bundle, change.image
    known = _known(client, bundle.contents, image)
    digests = [image.manifest, image.config, *(one.digest for one in image.layers[known:])]
    files = upload.of_bundle(bundle, [blob(digest) for digest in digests])
    sent = upload.send(machine, files, lambda done, total: tell(Progress(done, total)))
    tell(Detail(f"the engine loads {image.names[0]}"))
    parts = bundle.contents.parts
    manifest = {
        "Config": blob(image.config),
        "RepoTags": list(image.names),
        "Layers": [blob(one.digest) for one in image.layers],
    }
    script = render(
        "load-image.sh.j2",
        folder=BUNDLE,
        files=[one.name for one in files],
        layout=LAYOUT_TEXT.decode(),
        index=json.dumps(index_of([image], parts)),
        manifest=json.dumps([manifest]),
    )
    try:
        machine.run(script)
    except Failed as error:
        known_hint = hint(plain(error.stderr), ())
        why = mask(error.why(known_hint.pattern))
        raise KitError(f"{change.title}: {why}", known_hint.fix) from None
    return sent


def _known(client: docker.APIClient, contents: Contents, image: BundledImage) -> int:
    """How many of its layers the host has, from the base up.

    containerd's store also wants each as it was packed, of which it tells nothing: there, it is known
    of the images of this bundle and of the one before.
    """
    found = [find(client, str(each["Id"])) for each in client.images()]
    if store(client.info()) == "classic":
        ours = [one.diff_id for one in image.layers]
        return max((space.common(ours, layers(each)) for each in found), default=0)
    ids = {str(each.get("Id")) for each in found}
    there = [one for one in (*contents.images, *contents.former) if one.manifest in ids]
    digests = [one.digest for one in image.layers]
    pairs = ([layer.digest for layer in one.layers] for one in there)
    return max((space.common(digests, each) for each in pairs), default=0)
