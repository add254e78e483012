"""Rebuild with nothing changed, against ``docker build`` with everything cached on the same host."""

import os
import time

from sandbox.world import BlankHost
from tests.bench.test_budgets import paired
from tests.hosts.conftest import Blank, blank, kit, world
from tests.hosts.kit import Kit
from tests.hosts.test_images import memory, write

__all__ = ["blank", "kit", "world"]
DOCKERFILE = "FROM debian:bookworm\nCOPY . /src\nRUN echo {0} >/name\nRUN cat /name /src/file\n"


def images(kit: Kit, host: BlankHost, count: int) -> list[str]:
    """So many images of a small context each, built by the kit and known to the host's own builder."""
    kit.settings(host)
    kit.env["RUNNERKIT_DOCKERFILES"] = str(kit.folder / "dockerfiles")
    names = [f"image{number}" for number in range(count)]
    for name in names:
        write(kit, name, DOCKERFILE.format(name), file=name * 1000)
    assert kit.run("image.build", ",".join(names), "--host", "all").code == 0
    kit.ssh(host, f"mkdir -p {' '.join(f'/src/{name}' for name in names)}")
    for name in names:
        kit.ssh(host, f"""cd /src/{name} && echo '{name * 1000}' >file && cat >Dockerfile <<'END'
{DOCKERFILE.format(name)}END
docker build -q -t by-hand-{name} .""")  # fmt: skip
    return names


def compared(kit: Kit, host: BlankHost, names: list[str]) -> float:
    """The kit over SSH against docker build over SSH, whole processes, for all these images."""
    by_hand = "; ".join(f"docker build -q -t by-hand-{name} /src/{name}" for name in names)

    def ours() -> None:
        assert kit.run("image.build", ",".join(names), "--host", "all").code == 0

    print(f"\n{len(names)} images: ./inv image.build, then ssh and docker build of each")
    return paired(ours, lambda: kit.ssh(host, by_hand))


def test_nothing_changed(kit: Kit, blank: Blank) -> None:
    host = blank("docker")
    kit.mirrored(host)
    names = images(kit, host, 10)
    compared(kit, host, names[:1])
    assert compared(kit, host, names) < 1


def test_a_context_of_a_gigabyte_does_not_fill_memory(kit: Kit, blank: Blank) -> None:
    host = blank("docker")
    kit.settings(host)
    kit.env["RUNNERKIT_DOCKERFILES"] = str(kit.folder / "dockerfiles")
    folder = write(kit, "large", "FROM scratch\nCOPY marker /\n", marker="x")
    with (folder / "blob").open("wb") as file:
        for _ in range(1000):
            file.write(os.urandom(1 << 20))
    start = time.monotonic()
    peak = memory(kit, "image.build", "large", "--host", "all")
    print(f"\n1 GB of context: {peak >> 10} MiB at most, {time.monotonic() - start:.1f} s")
    assert peak < 120 << 10
