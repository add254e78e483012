"""A build context: the files beside a Dockerfile, hashed and sent without filling memory."""

import hashlib
import os
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runnerkit.errors import KitError, text_of
from runnerkit.images import ignore
from runnerkit.images.ignore import Ignore

CHUNK = 1 << 20
DOCKERFILE = "Dockerfile"


@dataclass(frozen=True)
class Entry:
    """A file, folder or link of a context; `name` is its path in it."""

    name: str
    path: Path
    mode: int
    size: int


def entries(folder: str) -> Iterator[Entry]:
    """What .dockerignore lets through, sorted; nothing where there is no folder."""
    if not folder:
        return
    file = Path(folder) / ".dockerignore"
    text = text_of(file, "save it as UTF-8, and see that you may read it") if file.is_file() else ""
    yield from _below(folder, "", ignore.parse(text, str(file)), ())


def digest(folder: str) -> tuple[str, int]:
    """A hash of all that is in the context, and its size in bytes."""
    whole, size = hashlib.sha256(), 0
    for entry in entries(folder):
        whole.update(f"\0{entry.name}\0{entry.mode:o}\0{entry.size}\0".encode())
        for chunk in _content(entry):
            whole.update(chunk)
        size += entry.size
    return whole.hexdigest(), size


def stream(folder: str, dockerfile: str) -> Iterator[bytes]:
    """The context as a tar archive, with that Dockerfile in it, a chunk at a time.

    Files belong to root, as Docker's own client sends them.
    """
    text = dockerfile.encode()
    info = tarfile.TarInfo(DOCKERFILE)
    info.size, info.mode = len(text), 0o644
    yield info.tobuf(tarfile.PAX_FORMAT) + text + b"\0" * (-len(text) % tarfile.BLOCKSIZE)
    for entry in entries(folder):
        if entry.name == DOCKERFILE:
            continue
        info = tarfile.TarInfo(entry.name)
        info.mode, info.mtime = stat.S_IMODE(entry.mode), int(entry.path.lstat().st_mtime)
        if stat.S_ISDIR(entry.mode):
            info.type = tarfile.DIRTYPE
        elif stat.S_ISLNK(entry.mode):
            info.type, info.linkname = tarfile.SYMTYPE, str(entry.path.readlink())
        else:
            info.size = entry.size
        yield info.tobuf(tarfile.PAX_FORMAT)
        if info.size:
            yield from _content(entry)
            yield b"\0" * (-info.size % tarfile.BLOCKSIZE)
    yield b"\0" * (2 * tarfile.BLOCKSIZE)


def _below(folder: str, prefix: str, rules: Ignore, parent: tuple[bool, ...]) -> Iterator[Entry]:
    try:
        found = sorted(os.scandir(Path(folder) / prefix), key=lambda one: one.name)
    except OSError as error:
        raise _unreadable(Path(folder) / prefix, error) from None
    for one in found:
        name = f"{prefix}/{one.name}" if prefix else one.name
        out, matched = rules.matches(name, parent)
        status = one.stat(follow_symlinks=False)
        is_folder = stat.S_ISDIR(status.st_mode)
        if not out and (is_folder or stat.S_ISREG(status.st_mode) or one.is_symlink()):
            size = status.st_size if stat.S_ISREG(status.st_mode) else 0
            yield Entry(name, Path(one.path), status.st_mode, size)
        if is_folder and (not out or rules.keeps_below(name)):
            yield from _below(folder, name, rules, matched)


def _content(entry: Entry) -> Iterator[bytes]:
    """The bytes of a file, exactly as many as it had; where a link leads."""
    if stat.S_ISLNK(entry.mode):
        yield str(entry.path.readlink()).encode()
    if not stat.S_ISREG(entry.mode):
        return
    left = entry.size
    try:
        with entry.path.open("rb") as file:
            while left and (chunk := file.read(min(CHUNK, left))):
                left -= len(chunk)
                yield chunk
    except OSError as error:
        raise _unreadable(entry.path, error) from None
    if left:
        raise KitError(f"{entry.path} shrank while it was read", "run again when it is at rest")


def _unreadable(path: Path, error: OSError) -> KitError:
    return KitError(f"{path}: {error.strerror}", "make it readable, or name it in .dockerignore")
