"""Images on their way between hosts, as the tests send and look at them."""

import contextlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import docker
import pytest

from runnerkit.engine import ship
from runnerkit.engine.client import connect
from runnerkit.errors import KitError
from runnerkit.machine.machine import Machine
from runnerkit.machine.ssh.connection import connection
from runnerkit.plan import Pull
from sandbox.world import BlankHost, World
from tests.hosts.kit import Kit, Ran

REGISTRY = "registry:2"
OLD, NEW = "web:0000000000aa", "web:0000000000bb"
CLEAN = """docker rmi -f $(docker images --format '{{.Repository}}:{{.Tag}}' | grep -v ^registry:)
docker image prune -f
"""
BUILD = """mkdir -p /tmp/{0} && cd /tmp/{0}
head -c {2}000000 /dev/urandom >layer
printf 'FROM {1}\\nCOPY layer /{0}\\n' >Dockerfile
docker build -q -t {0} . >/dev/null && docker tag {0} web:latest"""
OTHER_KIND = f"""mkdir -p /tmp/kind && cd /tmp/kind && docker save {OLD} | tar x
sed -i 's/"architecture":"[^"]*"/"architecture":"s390x"/' *.json
sed -i 's/{OLD}/{NEW}/' manifest.json && rm repositories
tar c . | docker load"""
IDS = "docker image inspect -f '{{.Id}}' "
NAMES = "docker images --digests --format '{{.Repository}}:{{.Tag}}@{{.Digest}}'"
TRANSFER = "until ls /var/lib/docker/tmp/GetImageBlob* >/dev/null 2>&1; do sleep 0.02; done; "


def first_build(kit: Kit, hosts: list[BlankHost], megabytes: int) -> list[BlankHost]:
    """The hosts, with the first build of the image on the first one alone."""
    for host in hosts:
        kit.ssh(host, CLEAN, check=False)
        kit.mirrored(host)
    kit.ssh(hosts[0], BUILD.format(OLD, "scratch", megabytes))
    return hosts


@contextlib.contextmanager
def door(world: World, host: BlankHost) -> Iterator[tuple[Machine, docker.APIClient]]:
    """A host as the kit reaches it."""
    known = str(world.state / "known_hosts")
    machine = Machine(connection(f"root@{host.address}", str(host.key), known, False))
    client = connect(machine)
    yield machine, client
    client.close()
    machine.close()


def shipped(
    kit: Kit,
    source: BlankHost,
    *targets: BlankHost,
    image: str = OLD,
    registry: str = REGISTRY,
    free: int = 1,
) -> list[ship.Moved]:
    """Ship an image to all of the hosts at once."""
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(door(kit.world, source))
        doors = [stack.enter_context(door(kit.world, host)) for host in targets]
        before = set(threading.enumerate())
        with (
            ship.source(*client, image, from_(registry), lambda _: None) as offer,
            ThreadPoolExecutor() as pool,
        ):
            moved = list(
                pool.map(lambda one: offer.send(one[0], one[1], free, lambda _: None), doors)
            )
        assert set(threading.enumerate()) <= before
    return moved


def from_(registry: str) -> Pull:
    """How a registry's image is pulled."""
    return Pull(f"pull {registry}", registry, (registry,))


def refused(kit: Kit, *hosts: BlankHost, **options: Any) -> KitError:
    """The error that shipping ends with."""
    with pytest.raises(KitError) as caught:
        shipped(kit, *hosts, **options)
    return caught.value


def ids(kit: Kit, hosts: list[BlankHost], name: str) -> set[str]:
    return {kit.ssh(host, IDS + name).strip() for host in hosts}


def tidy(kit: Kit, hosts: list[BlankHost]) -> None:
    """No registry and no layer of one is left, and no name of the way, not even a digest."""
    for host in hosts:
        assert kit.ssh(host, "docker ps -aq; docker volume ls -q") == ""
        left = [name for name in kit.ssh(host, NAMES).split() if not name.startswith("registry:")]
        assert {name.partition("@")[2] for name in left} <= {"<none>"}
        assert {name.partition(":")[0] for name in left} <= {"web", "other"}


def define(kit: Kit, code: int) -> None:
    """Define the image web: 20 MB that stay, and `code` MB that are new each time."""
    folder = kit.folder / "dockerfiles/web"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "base").exists():
        (folder / "base").write_bytes(os.urandom(20_000_000))
    (folder / "code").write_bytes(os.urandom(code * 1_000_000))
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY base /\nCOPY code /\n")
    kit.env["RUNNERKIT_DOCKERFILES"] = str(folder.parent)


def rows(ran: Ran) -> dict[str, dict[str, Any]]:
    """What --json said of the image, by host."""
    assert ran.code == 0, ran.out + ran.err
    return {host: one["images"][0] for host, one in ran.hosts.items()}
