"""A context's hash changes exactly when something in it does, and it is sent as it was hashed."""

import io
import os
import tarfile
import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runnerkit.errors import KitError
from runnerkit.images import context

NAMES = st.text("ab.c", min_size=1, max_size=3).filter(lambda name: name.strip("."))
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
FILES = st.dictionaries(PATHS, st.binary(max_size=40), max_size=6)
SCRATCH = tempfile.TemporaryDirectory()  # Hypothesis runs one test many times: no tmp_path
IGNORED = "# what stays\n\n*.out\n!keep.out\n**/tmp\n"


def write(files: dict[str, bytes]) -> str:
    """A fresh folder with these files; a path under a file is left out."""
    folder = Path(tempfile.mkdtemp(dir=SCRATCH.name))
    for name, data in sorted(files.items()):
        path = folder / name
        if any(parent.is_file() for parent in path.parents) or path.is_dir():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return str(folder)


def tree(folder: str) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in Path(folder).rglob("*")
    }


@settings(max_examples=60, deadline=None)
@given(first=FILES, second=FILES)
def test_two_contexts_have_one_hash_exactly_if_they_hold_the_same(
    first: dict[str, bytes], second: dict[str, bytes]
) -> None:
    one, other = write(first), write(second)
    assert (context.digest(one) == context.digest(other)) == (tree(one) == tree(other))
    again = write(first)
    assert context.digest(one) == context.digest(again)


@settings(max_examples=40, deadline=None)
@given(files=FILES, name=NAMES, folder=st.sampled_from(["", "tmp/", "a/tmp/"]), data=st.binary())
def test_what_is_ignored_does_not_count(
    files: dict[str, bytes], name: str, folder: str, data: bytes
) -> None:
    base = {**files, ".dockerignore": IGNORED.encode(), "a/z": b"", "keep.out": b""}
    known = context.digest(write(base))
    hidden = f"{folder}{name}.out" if not folder else f"{folder}{name}"
    assert context.digest(write({**base, hidden: data})) == known
    assert context.digest(write({**base, "keep.out": data + b"!"})) != known


CHANGES = {
    "a file's content": lambda f: (f / "d/file").write_bytes(b"other"),
    "whether a file may be executed": lambda f: (f / "d/file").chmod(0o755),
    "a new empty folder": lambda f: (f / "empty").mkdir(),
    "a file's name": lambda f: (f / "d/file").rename(f / "d/file2"),
    "where a link leads": lambda f: ((f / "link").unlink(), (f / "link").symlink_to("there")),
    "a link in place of a file": lambda f: ((f / "d/file").unlink(), (f / "d/file").symlink_to("content")),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_the_hash_changes_with(what: str) -> None:
    folder = Path(write({"d/file": b"content"}))
    (folder / "link").symlink_to("d/file")
    before = context.digest(str(folder))
    CHANGES[what](folder)  # type: ignore[no-untyped-call]
    assert context.digest(str(folder)) != before


def test_times_and_owners_do_not_count() -> None:
    folder = write({"file": b"x"})
    before = context.digest(folder)
    os.utime(f"{folder}/file", (1, 1))
    assert context.digest(folder) == before


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o027, 0o077])
def test_a_checkout_is_one_whatever_its_umask(umask: int) -> None:
    """GitLab's own checkout has none, a laptop's has 022."""
    before = os.umask(umask)
    try:
        folder = Path(write({"d/file": b"content", "program": b"#!/bin/sh"}))
        (folder / "program").chmod(0o777 & ~umask)
        (folder / "link").symlink_to("d/file")
    finally:
        os.umask(before)
    assert context.digest(str(folder))[0].startswith("7770c7cb326c")
    modes = {name: oct(member.mode) for name, member in archive(str(folder)).items()}
    assert modes == {
        **{"Dockerfile": "0o644", "d": "0o755", "d/file": "0o644"},
        **{"link": "0o777", "program": "0o755"},
    }


def test_of_more_than_git_keeps_nothing_counts() -> None:
    folder = Path(write({"d/file": b"content"}))
    before = context.digest(str(folder))
    (folder / "d/file").chmod(0o4664)
    (folder / "d").chmod(0o3770)
    assert context.digest(str(folder)) == before


def test_names_that_are_no_utf_8_are_sent_as_they_are() -> None:
    folder = write({"plain": b"1"})
    for name in (b"caf\xe9", b"\xff\xfe/in", "ü".encode()):
        path = os.path.join(os.fsencode(folder), name)  # noqa: PTH118  # bytes
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(b"2")
    before = context.digest(folder)
    Path(folder, "link").symlink_to(os.fsdecode(b"caf\xe9"))
    assert context.digest(folder) != before
    names = {os.fsencode(name) for name in archive(folder)}
    assert names > {b"caf\xe9", b"\xff\xfe", b"\xff\xfe/in", "ü".encode(), b"plain", b"link"}
    assert os.fsencode(archive(folder)["link"].linkname) == b"caf\xe9"


def archive(folder: str, text: str = "FROM scratch\n") -> dict[str, tarfile.TarInfo]:
    whole = io.BytesIO(b"".join(context.stream(folder, text)))
    with tarfile.open(fileobj=whole) as tar:
        return {member.name: member for member in tar.getmembers()}


def test_what_is_sent_is_what_was_hashed_and_belongs_to_root() -> None:
    long = f"{'d' * 90}/{'e' * 90}/ü"
    folder = write({"a/b": b"1" * 700, long: b"x", "Dockerfile.j2": b"t", ".dockerignore": b"no"})
    Path(folder, "no").write_text("ignored")
    Path(folder, "link").symlink_to("a/b")
    os.mkfifo(f"{folder}/pipe")
    members = archive(folder)
    assert set(members) == {"Dockerfile", *(entry.name for entry in context.entries(folder))}
    assert {"a", "a/b", "link", long} < set(members)
    assert not {"no", "pipe"} & set(members)
    assert {(m.uid, m.gid, m.uname) for m in members.values()} == {(0, 0, "")}
    assert members["link"].linkname == "a/b"


def test_a_dockerfile_that_is_ignored_is_sent_all_the_same() -> None:
    folder = write({"Dockerfile": b"FROM a", ".dockerignore": b"*\n", "x": b""})
    assert set(archive(folder)) == {"Dockerfile"}


def test_a_large_file_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(64 << 20)
    tracemalloc.start()
    sent = sum(len(block) for block in context.stream(str(tmp_path), ""))
    context.digest(str(tmp_path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sent > 64 << 20
    assert peak < 8 << 20


def test_a_file_that_shrinks_while_it_is_read_is_told() -> None:
    folder = write({"a": b"x" * 100})
    (entry,) = context.entries(folder)
    entry.path.write_bytes(b"")
    with pytest.raises(KitError, match="shrank"):
        list(context._content(entry))
