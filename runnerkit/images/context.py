"""A build context: the files beside a Dockerfile, hashed and sent without filling memory."""

import hashlib
import os
import stat
import tarfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from runnerkit.errors import KitError, text_of
from runnerkit.images import ignore
from runnerkit.images.ignore import Ignore

CHUNK = 1 << 20
DOCKERFILE = "Dockerfile"


@dataclass(frozen=True)
class Entry:
    """A file, folder or link of a context; `name` is its path in it, read as UTF-8.

    Of its permissions `mode` has what git keeps: those of a checkout are the umask's.
    """

    name: str
    path: Path
    mode: int
    size: int


def entries(folder: str, classic: bool = False) -> Iterator[Entry]:
    """What the folder's ignore file lets through, sorted; nothing where there is no folder.

    Args:
        folder: the context.
        classic: whether for Docker's classic builder, which looks into fewer of the folders that are
            left out.
    """
    if folder:
        yield from _below(Path(folder), "", _rules(Path(folder)), (), classic)


def digest(folder: str) -> tuple[str, int]:
    """A hash of all that is in the context, and its size in bytes."""
    whole, size = hashlib.sha256(), 0
    for entry in entries(folder):
        name = entry.name.encode("utf-8", "surrogateescape")
        whole.update(b"\0%b\0%o\0%d\0" % (name, entry.mode, entry.size))
        for chunk in _content(entry):
            whole.update(chunk)
        size += entry.size
    return whole.hexdigest(), size


def stream(folder: str, dockerfile: str, classic: bool = False) -> Iterator[bytes]:
    """The context as a tar archive, with that Dockerfile in it, a chunk at a time.

    Files belong to root, as Docker's own client sends them. A name is sent as the bytes that it is.
    """
    text = dockerfile.encode()
    info = tarfile.TarInfo(DOCKERFILE)
    info.size, info.mode = len(text), 0o644
    yield info.tobuf(tarfile.PAX_FORMAT) + text + b"\0" * (-len(text) % tarfile.BLOCKSIZE)
    for entry in entries(folder, classic):
        if entry.name == DOCKERFILE:
            continue
        info = tarfile.TarInfo(entry.name)
        info.mode, info.mtime = stat.S_IMODE(entry.mode), int(entry.path.lstat().st_mtime)
        if stat.S_ISDIR(entry.mode):
            info.type = tarfile.DIRTYPE
        elif stat.S_ISLNK(entry.mode):
            info.type, info.linkname = tarfile.SYMTYPE, _utf8(str(entry.path.readlink()))
        else:
            info.size = entry.size
        yield info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
        if info.size:
            yield from _content(entry)
            yield b"\0" * (-info.size % tarfile.BLOCKSIZE)
    yield b"\0" * (2 * tarfile.BLOCKSIZE)


def _rules(folder: Path) -> Ignore:
    """As BuildKit looks for them: those of the Dockerfile before those of the folder."""
    for name in (f"{DOCKERFILE}.dockerignore", ".dockerignore"):
        if (file := folder / name).is_file():
            text = text_of(file, "save it as UTF-8, and see that you may read it")
            return ignore.parse(text, str(file))
    return Ignore()


def _below(
    folder: Path, prefix: str, rules: Ignore, parent: Collection[int], classic: bool
) -> Iterator[Entry]:
    try:
        found = sorted(os.scandir(folder), key=lambda one: os.fsencode(one.name))
    except OSError as error:
        raise _unreadable(folder, error) from None
    for one in found:
        name = prefix + _utf8(one.name)
        out, matched = rules.matches(name, parent)
        status = one.stat(follow_symlinks=False)
        is_folder = stat.S_ISDIR(status.st_mode)
        if not out and (is_folder or stat.S_ISREG(status.st_mode) or one.is_symlink()):
            size = status.st_size if stat.S_ISREG(status.st_mode) else 0
            yield Entry(name, Path(one.path), _kept(status.st_mode), size)
        if is_folder and (not out or rules.keeps_below(name, classic)):
            yield from _below(Path(one.path), f"{name}/", rules, matched, classic)


def _kept(mode: int) -> int:
    """What git keeps of a mode: what it is, and of a file whether its owner may execute it."""
    if stat.S_ISLNK(mode):
        return stat.S_IFLNK | 0o777
    executable = stat.S_ISDIR(mode) or mode & stat.S_IXUSR
    return stat.S_IFMT(mode) | (0o755 if executable else 0o644)


def _utf8(name: str) -> str:
    """A name's bytes read as UTF-8, whatever this machine's own encoding."""
    return os.fsencode(name).decode("utf-8", "surrogateescape")


def _content(entry: Entry) -> Iterator[bytes]:
    """The bytes of a file, exactly as many as it had; where a link leads."""
    if stat.S_ISLNK(entry.mode):
        yield os.fsencode(entry.path.readlink())
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
