"""A file of the host, written whole or not at all."""

from base64 import b64encode, encodebytes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runnerkit.facts import File
from runnerkit.files.diff import diff
from runnerkit.plan import Endpoint, Hint, Script
from runnerkit.templates import render

HINTS = (
    Hint("changed meanwhile", "another program wrote the file; run again"),
    Hint("", "correct what the settings say of this file, or what is said above"),
)
NO_PREVIOUS = 'rm -f "$path.previous"'  # of a program or unit the previous version is of no use


@dataclass(frozen=True)
class Content:
    """What a file of the kit's own shall hold, and its permissions."""

    text: str
    mode: int = 0o644


def write_file(
    path: str,
    text: str,
    mode: int,
    *,
    old: bytes | None = None,
    check: str = "",
    before: str = "",
    after: str = "",
    keep_time: int | None = None,
    reaches: tuple[Endpoint, ...] = (),
    keep_owner: bool = True,
) -> Script:
    """Write a file whole or not at all, keeping the previous one beside it.

    Args:
        path: where, on the host.
        text: what it shall hold.
        mode: its permissions.
        old: what was there; the file is left alone if that changed meanwhile.
        check: shell lines that refuse the new file, "$new", by failing.
        before: shell lines to run when it is about to be written.
        after: shell lines to run when it is written.
        keep_time: the time that it gets, seconds since 1970; that of the write if not given.
        reaches: what must answer the host for the file to be of use.
        keep_owner: whether it stays whose it was; what root runs is root's.
    """
    content = encodebytes(text.encode()).decode()
    trial = render("trial.sh.j2", path=path, content=content, check=check) if check else ""
    return Script(
        f"write {path}",
        render(
            "write-file.sh.j2",
            path=path,
            content=content,
            mode=f"{mode:o}",
            private=not mode & 0o077,
            keep_owner=keep_owner,
            old=None if old is None else b64encode(old).decode(),
            before=before,
            after=after,
            check=check,
            keep_time="" if keep_time is None else keep_time,
        ),
        diff((old or b"").decode(errors="replace"), text, path),
        trial=trial,
        hints=HINTS,
        reaches=reaches,
    )


def differing(
    wanted: Mapping[str, Content], files: Mapping[str, File], after: str = ""
) -> Iterator[Script]:
    """Write those files of the kit's own that the host has not got so.

    Args:
        wanted: by path, in the order in which they are written.
        files: those of the host.
        after: shell lines to run when one is written.
    """
    for path, content in wanted.items():
        file = files.get(path)
        if file is None or (file.data, file.mode) != (content.text.encode(), content.mode):
            old = file.data if file else None
            after_all = f"{NO_PREVIOUS}\n{after}"
            yield write_file(
                path, content.text, content.mode, old=old, after=after_all, keep_owner=False
            )
