"""What a bundle is made of, from the engine of the host that makes it."""

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from runnerkit.bundle.writing import Pieces
from runnerkit.fleet.host import Host
from runnerkit.plan import Pull, Script
from runnerkit.want import Want


def pulled(host: Host, want: Want, name: str) -> None:
    """Have an image there.

    Raises:
        KitError: it is not to be had.
    """
    from runnerkit.engine.client import find

    if not find(host.engine, name):
        logins = want.docker.registry_logins
        host.write(want, [Pull(f"pull {name}", name, want.sources(name), logins=logins)])


@contextmanager
def container_files(
    host: Host, want: Want, script: Script, container: str, folder: str
) -> Iterator[Iterator[tuple[str, IO[bytes]]]]:
    """The files of a folder, by their places below it, each to be read before the next one.

    Args:
        host: the one that has the engine.
        want: what hosts shall be.
        script: what makes the container, which is removed in the end.
        container: its name.
        folder: in it.

    Raises:
        KitError: the script failed, or the engine does not give them.
    """
    from runnerkit.engine import failure

    try:
        host.script(want, script)
        with (
            failure.translated(script.title),
            tarfile.open(
                fileobj=Pieces(host.engine.get_archive(container, folder)[0]), mode="r|"
            ) as archive,
        ):
            yield _files(archive)
    finally:
        with suppress(Exception):  # what went wrong before says more
            host.engine.remove_container(container, v=True, force=True)


def _files(archive: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
    for member in archive:
        if member.isfile() and (content := archive.extractfile(member)):
            yield member.name.partition("/")[2], content
