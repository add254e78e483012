"""An image from one engine to another as ``docker save`` writes it: whole, and by no registry."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import docker

from runnerkit.engine.client import saved
from runnerkit.engine.failure import fix
from runnerkit.errors import KitError
from runnerkit.events import Progress, Tell
from runnerkit.redact import mask

AGAIN = "run again; where the disk is full make room first"


def copy(
    source: docker.APIClient,
    target: docker.APIClient,
    image: tuple[str, str],
    at_source: Callable[[], AbstractContextManager[None]],
    tell: Tell,
) -> int:
    """Give an engine another's image, by a name: the ids of two stores are not alike.

    Args:
        source: the engine that has it.
        target: the engine that gets it.
        image: its id there, and what it is called on the way.
        at_source: translates what goes wrong at the source.
        tell: told how far it is.

    Returns:
        The bytes that were moved.

    Raises:
        KitError: the engine does not take it.
    """
    (number, name), moved = image, 0
    repository, _, tag = name.rpartition(":")

    def counted() -> Iterator[bytes]:
        nonlocal moved
        with at_source():
            source.tag(number, repository, tag)
            try:
                for chunk in saved(source, name):
                    moved += len(chunk)
                    tell(Progress(moved))
                    yield chunk
            finally:
                source.remove_image(name, noprune=True)

    for event in target.load_image(counted()):  # type: ignore[no-untyped-call]
        if "error" in event:
            what = f"{name.rpartition('/')[2]} did not arrive whole: {mask(str(event['error']))}"
            raise KitError(what, fix(str(event["error"]), AGAIN))
    return moved
