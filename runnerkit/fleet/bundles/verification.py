"""Whether a bundle is whole, and whose."""

from pathlib import Path

from runnerkit.bundle import reading, signature
from runnerkit.bundle.reading import Bundle
from runnerkit.events import Began, Listener, Progress


def whole(file: Path, key: str, listener: Listener) -> Bundle:
    """A bundle, every part of which is what its list says.

    Args:
        file: where it is.
        key: the public key that must have signed it; "" for none.
        listener: told how far it is.

    Raises:
        KitError: it is damaged, or not signed by that key.
    """
    bundle = reading.opened(file)
    if key:
        signature.check(bundle, signature.public(key))
    listener("bundle", Began(f"verify {file}", 1, 1))
    bundle.verify(lambda done, total: listener("bundle", Progress(done, total)))
    return bundle
