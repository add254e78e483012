"""Images have room on the host's disk."""

from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs
from runnerkit.want import Want

PER_MB = 16  # inodes that a megabyte of an image takes: its files have some 64 KB each
FULL = Kind(
    "disk-full",
    Level.ERROR,
    "the disk is too full for the images: {free} MB free in {disk}, {least} needed",
    "make room (./inv image.prune), or lower [docker] min_free_mb",
)
FILES = Kind(
    "inodes-full",
    Level.ERROR,
    "the disk has room for too few files of the images: {free} inodes free, {least} needed",
    "make room (./inv image.prune; df -i shows where), or lower [docker] min_free_mb",
)
KINDS = (FULL, FILES)


def needs(want: Want) -> Needs:
    return Needs()


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    yield from filter(None, [full(want, have)])


def full(want: Want, have: Facts, coming: int = 0) -> Finding | None:
    """What is found where the disk has no room.

    Args:
        want: what must stay free.
        have: what is free.
        coming: bytes that are known to come besides.
    """
    free, least = have.free_kb >> 10, want.docker.min_free_mb + (coming >> 20)
    if free < least:
        return FULL.found(free=free, disk=have.disk, least=least)
    if have.free_inodes is not None and have.free_inodes < least * PER_MB:
        return FILES.found(free=have.free_inodes, least=least * PER_MB)
    return None
