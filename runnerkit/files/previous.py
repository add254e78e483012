"""The manager's image before the last upgrade: kept on the host, so that a rollback needs no registry."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from runnerkit.facts import Facts
from runnerkit.files.write import NO_PREVIOUS, write_file
from runnerkit.images.reference import normal
from runnerkit.want import Want

PATH = "/var/lib/runnerkit/previous.json"
REPOSITORY = "runnerkit-previous"
SCHEMA = 1


class Previous(msgspec.Struct, frozen=True):
    """A manager's previous image: `image` is its reference, `id` the engine's. After a rollback `image` is
    empty, `id` that of the image that runs again, and `left` the reference that was left."""

    image: str = ""
    id: str = ""
    left: str = ""


class Kept(msgspec.Struct):
    """The file; the managers are by their containers' names."""

    schema: int = SCHEMA
    managers: dict[str, Previous] = {}


def tag(want: Want) -> str:
    """The name that keeps the image on the host."""
    return f"{REPOSITORY}:{want.manager.container}"


def of(want: Want, have: Facts) -> Previous:
    """That of the host's manager; an empty one where none is known."""
    return _read(have).managers.get(want.manager.container, Previous())


def reference(want: Want, have: Facts) -> str:
    """What the previous image is called on the host now: a tag may have moved to another one."""
    known = of(want, have)
    if normal(known.image) not in have.images:
        return known.image
    names = (normal(known.image), *have.images)
    return next((one for one in names if _is(have, one, known.id)), known.image)


def after(want: Want, have: Facts, before: Mapping[str, Any], image: str) -> Previous:
    """What is kept once a manager has proven itself.

    Args:
        want: whose manager it is.
        have: the host.
        before: the container that was before.
        image: the id of the image that runs now.
    """
    name = str(before["Config"]["Image"])
    if of(want, have).id == image:
        return Previous(id=image, left=name)
    return Previous(name, before["Image"])


def written(want: Want, have: Facts, previous: Previous) -> str:
    """The script that writes the file."""
    managers = {**_read(have).managers, want.manager.container: previous}
    text = json.dumps(msgspec.to_builtins(Kept(managers=managers)), indent=1, sort_keys=True)
    old = file.data if (file := have.files.get(PATH)) else None
    change = write_file(PATH, f"{text}\n", 0o600, old=old, after=NO_PREVIOUS, keep_owner=False)
    return change.text


def _read(have: Facts) -> Kept:
    file = have.files.get(PATH)
    try:
        found = msgspec.json.decode(file.data if file else b"{}", type=Kept)
    except (msgspec.DecodeError, RecursionError):
        return Kept()
    return found if found.schema == SCHEMA else Kept()


def _is(have: Facts, name: str, identity: str) -> bool:
    return have.images[name]["Id"] == identity and not name.startswith(f"{REPOSITORY}:")
