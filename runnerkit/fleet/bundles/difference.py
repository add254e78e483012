"""A bundle of what is new against an older one."""

from pathlib import Path

from runnerkit.bundle import difference, reading, signature
from runnerkit.bundle.writing import reported
from runnerkit.errors import KitError
from runnerkit.events import Listener
from runnerkit.fleet.bundles.make import Made
from runnerkit.fleet.bundles.verification import whole


def make(old: Path, new: Path, file: Path, key: str, listener: Listener) -> Made:
    """Write it.

    Args:
        old: the bundle that hosts were set up from; its list is enough.
        new: the bundle that they are to be as.
        file: where the difference is written.
        key: the file of the private key that signs it; "" for none.
        listener: told how far it is.

    Raises:
        KitError: one of them is no bundle, or the new one is damaged; or `file` is one of them.
    """
    if file.exists() and any(one.exists() and file.samefile(one) for one in (old, new)):
        what = f"{file} is one of the two bundles that are compared"
        raise KitError(what, "have the difference written into a file of its own")
    sign = signature.signer(key)
    newer = whole(new, "", listener)
    with reported(file):
        found, size = difference.write(reading.opened(old), newer, file, sign)
    return Made(file, size, found)
