"""The kit's own libraries for a bundle, as its lock file has them: for a machine that has no index."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from runnerkit.bundle.writing import CHUNK, Depot
from runnerkit.errors import KitError
from runnerkit.place import ROOT

LOCK = "requirements.lock"


def gathered(depot: Depot) -> tuple[str, ...]:
    """Put them into a depot: those for this machine's Python and kind, and the lock file.

    Raises:
        KitError: pip does not get them; or this kit is installed, and has no lock file.
    """
    lock, folder = ROOT / LOCK, depot.folder / "wheels"
    if not lock.exists():
        what = "--kit: an installed kit has no lock file"
        raise KitError(what, "make the bundle from a clone, or leave --kit out")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes"]
    ran = subprocess.run(
        [*command, "--only-binary", ":all:", "-r", str(lock), "-d", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        last = (ran.stderr.strip().splitlines() or ["no word of why"])[-1]
        raise KitError(f"--kit: pip gets no libraries: {last}", "see to this machine's way to PyPI")
    files = (lock, *sorted(folder.iterdir()))
    for file in files:
        depot.add(f"wheels/{file.name}", _read(file))
    return tuple(f"wheels/{file.name}" for file in files)


def _read(file: Path) -> Iterator[bytes]:
    with file.open("rb") as source:
        while data := source.read(CHUNK):
            yield data
