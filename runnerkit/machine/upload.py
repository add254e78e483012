"""Files put into a folder of root's on a host, by what they hold: what is there stays, a file that was
cut off goes on where it ended, and each is checked there before anything uses it."""

import contextlib
import hashlib
import io
import shlex
import socket
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from runnerkit.bundle.contents import ALGORITHM
from runnerkit.bundle.reading import Bundle
from runnerkit.errors import KitError
from runnerkit.machine.failure import BACK, translated
from runnerkit.machine.machine import Machine
from runnerkit.machine.streams import Pipe
from runnerkit.place import BUNDLE as FOLDER
from runnerkit.printable import counted

CHUNK = 1 << 20
# The room there, and of each file that is there its size and digest.
LOOK = """umask 77
mkdir -p {folder} && chmod 700 {folder} && cd {folder} || exit 1
find . -type f -mtime +7 -exec rm -f {{}} + 2>/dev/null || :
echo free $(($(df -Pk . | tail -n 1 | awk '{{print $4}}')))
for file in {names}; do
  [ ! -f "$file" ] || echo "$file" $(($(wc -c <"$file"))) "$(sha256sum <"$file" | cut -d ' ' -f 1)"
done"""
APPEND = "umask 77; mkdir -p {folder}; cat >>{folder}/{name} && echo done"
UNPACK = "umask 77; mkdir -p {folder}; tar -x -o -m -f - -C {folder} && echo done"
Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Upload:
    """A file: its SHA-256 in hex, by which it is called there, its bytes, and what gives them."""

    name: str
    size: int
    read: Callable[[int, int], Iterator[bytes]]


def of_bundle(bundle: Bundle, members: Sequence[str]) -> list[Upload]:
    """Members of a bundle, each once.

    Raises:
        KitError: the bundle is a difference, and the older one has some of them.
    """
    parts = bundle.contents.parts
    if left := [name for name in dict.fromkeys(members) if parts[name].left_out]:
        raise KitError(
            f"{bundle.file} is only the difference to an older bundle, and the host lacks "
            f"{counted(len(left), 'part')} of that one: {left[0]}",
            "bootstrap with the older bundle first, or with a whole one",
        )
    return [
        Upload(
            parts[name].digest.removeprefix(ALGORITHM), parts[name].size, partial(bundle.read, name)
        )
        for name in dict.fromkeys(members)
    ]


def send(machine: Machine, files: Sequence[Upload], tell: Tell) -> int:
    """Put them there, and see that each is what it should be.

    Raises:
        KitError: as from `put`; or one did not arrive whole.
    """
    lacking, sent = put(machine, files, tell)
    if lacking:
        there, _ = _look(machine, lacking)
        if wrong := [one for one in lacking if there.get(one.name) != (one.size, one.name)]:
            machine.run(f"cd {FOLDER} && rm -f {shlex.join(one.name for one in wrong)}")
            raise KitError(
                f"{machine.where()}: {counted(len(wrong), 'file')} did not arrive whole, {wrong[0].name} first",
                "see to the host's disk and network, then run again",
            )
    return sent


def put(machine: Machine, files: Sequence[Upload], tell: Tell) -> tuple[list[Upload], int]:
    """Put them there, unseen whether they arrive whole.

    Args:
        machine: the host.
        files: what is to be there.
        tell: told how many bytes of how many are there.

    Returns:
        What was not there yet, and the bytes that were sent.

    Raises:
        KitError: there is no room, or the connection broke.
    """
    there, free = _look(machine, files)
    lacking = [one for one in files if there.get(one.name) != (one.size, one.name)]
    begun = {one.name: _begun(one, *there.get(one.name, (0, ""))) for one in lacking}
    needed = sum(one.size - begun[one.name] for one in lacking)
    if needed > free:
        raise KitError(
            f"{free >> 20} MB free in {FOLDER} on the host, {-(-needed >> 20)} MB needed",
            "make room there; nothing was sent",
        )
    total, sent = sum(one.size for one in files), 0
    had = total - needed

    def count(number: int) -> None:
        nonlocal sent
        sent += number
        tell(had + sent, total)

    for one in lacking:
        if start := begun[one.name]:
            command = APPEND.format(folder=FOLDER, name=one.name)
            _stream(machine, command, one.read(start, one.size), count)
    if whole := [one for one in lacking if not begun[one.name]]:
        _stream(machine, UNPACK.format(folder=FOLDER), _archive(whole), count)
    return lacking, sent


def _look(machine: Machine, files: Sequence[Upload]) -> tuple[dict[str, tuple[int, str]], int]:
    """Of each that is there its size and digest; and the bytes that are free."""
    names = " ".join(one.name for one in files)
    lines = machine.run(LOOK.format(folder=FOLDER, names=names)).split("\n")
    found = [line.split() for line in lines if line]
    free = next((int(words[1]) << 10 for words in found if words[0] == "free"), 0)
    return {words[0]: (int(words[1]), words[2]) for words in found if len(words) == 3}, free


def _begun(one: Upload, size: int, digest: str) -> int:
    """How much of it is there: all that is, if it is its beginning."""
    if not 0 < size < one.size:
        return 0
    known = hashlib.sha256()
    for data in one.read(0, size):
        known.update(data)
    return size if known.hexdigest() == digest else 0


def _archive(files: Sequence[Upload]) -> Iterator[bytes]:
    """They in one stream; each with its head, and filled up to whole blocks."""
    for one in files:
        head = tarfile.TarInfo(one.name)
        head.size, head.mode = one.size, 0o600
        yield head.tobuf(tarfile.GNU_FORMAT)
        yield from one.read(0, one.size)
        yield bytes(-one.size % tarfile.BLOCKSIZE)
    yield bytes(tarfile.RECORDSIZE)


def _stream(
    machine: Machine, command: str, data: Iterator[bytes], count: Callable[[int], None]
) -> None:
    pipe = machine.open(command)
    answer = io.BytesIO()
    with translated(machine.where()), contextlib.closing(pipe):
        try:
            for piece in data:
                pipe.sendall(piece)
                count(len(piece))
            pipe.shutdown(socket.SHUT_WR)
            _read(pipe, answer)
        except (OSError, EOFError):
            _ = machine.transport  # that it broke is the better reason
            _read(pipe, answer)
    if answer.getvalue().strip() != b"done":
        raise KitError(f"{machine.where()}: the host takes no more of the files", BACK)


def _read(pipe: Pipe, into: io.BytesIO) -> None:
    with contextlib.suppress(OSError, EOFError):
        while data := pipe.recv(CHUNK):
            into.write(data)
