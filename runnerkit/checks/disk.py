"""Images have room on the host's disk."""

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts
from runnerkit.want import Want

FULL = Kind(
    "disk-full",
    Level.ERROR,
    "the disk is too full for the images: {free} MB free, {least} needed",
    "make room (./inv image.prune), or lower [docker] min_free_mb",
)
KINDS = (FULL,)


def full(want: Want, have: Facts, coming: int = 0) -> Finding | None:
    """What is found where the disk has no room.

    Args:
        want: what must stay free.
        have: what is free.
        coming: bytes that are known to come besides.
    """
    free, least = have.free_kb >> 10, want.docker.min_free_mb + (coming >> 20)
    return FULL.found(free=free, least=least) if free < least else None
