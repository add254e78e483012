"""The sandbox as a whole: up, hosts in it, down."""

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import docker

from runnerkit.printable import counted
from sandbox import daemon, keys, manager, network
from sandbox.errors import SandboxError, translated
from sandbox.hosts import blank
from sandbox.hosts.blank import BlankHost
from sandbox.hosts.kinds import build, find
from sandbox.image_store import ImageStore
from sandbox.manager import ARCHITECTURE, RunnerImages
from sandbox.names import Names
from sandbox.network import Net
from sandbox.removal import clear
from sandbox.services import containers, mirror

__all__ = ["BlankHost", "SandboxError", "World", "down", "up"]

Say = Callable[[str], None]


@dataclass(frozen=True)
class World:
    """A sandbox that is up.

    `gitlab_url` and `mirror_url` hold on this machine, in hosts, and in containers inside hosts.
    `runner_image` is what hosts call it; `state` has the key, known_hosts and the tokens.
    """

    names: Names
    net: Net
    gitlab_url: str
    mirror_url: str
    api_token: str
    create_token: str
    manage_token: str
    registration_token: str
    expired_token: str
    runner_image: str
    stand_in: bool
    state: Path

    @property
    def sudo_password(self) -> str:
        """Of carol, who needs one for sudo; nobody logs in with it."""
        return keys.password(self.state, "sudo")

    @property
    def own_helper(self) -> dict[str, str]:
        """What settings of a runner before 16.8 must say: from its version the helper's name is not known."""
        version = re.search(r"v(\d+)\.(\d+)", self.runner_image)
        if not version or (int(version[1]), int(version[2])) >= (16, 8):
            return {}
        name = self.runner_image.replace("gitlab-runner:", f"gitlab-runner-helper:{ARCHITECTURE}-")
        return {"helper_image": name}

    def host(self, name: str, kind: str = "systemd", disk_mb: int = 0) -> BlankHost:
        """A fresh blank host, in place of any of that name, awaited until it answers ssh.

        Where `disk_mb` is given, all that its Docker has is on a disk of that size, in memory.
        """
        store = ImageStore(daemon.running(), self.state, print)
        with keys.lock(self.state, "lock"), translated(f"make ready for hosts of kind {kind}"):
            _ready(store, self.names, kind)
            image = build(store, kind)
        return blank.start(store.client, self.names, name, kind, image, disk_mb)

    def remove(self, name: str) -> None:
        """Remove a host, if it is there."""
        blank.remove(daemon.running(), self.names, name)


def up(
    say: Say = print, runner_image: str | None = None, kinds: Iterable[str] = ("systemd",)
) -> World:
    """Put the sandbox up, reusing whatever is there and in order.

    What it takes to make hosts of these `kinds` is made now; of another kind, at its first host.
    """
    names, started, say = Names.current(), time.monotonic(), _in_turn(say)
    keys.folder(names.state)
    with keys.lock(names.state, "lock"), translated(f"put up the sandbox {names.sandbox}"):
        store = ImageStore(daemon.ensure(names.state, say), names.state, say)
        tokens = keys.tokens(names.state)
        keys.key(names.state)
        net = network.ensure(store.client, names)
        runner = _fill(store, names, net, tokens, runner_image, kinds)
    which = "a stand-in for gitlab-runner, for trying only" if runner.stand_in else "gitlab-runner"
    say(f"the sandbox is up ({time.monotonic() - started:.1f} s); its hosts get {which}")
    return World(
        names=names,
        net=net,
        gitlab_url=f"http://{net.gitlab}:8080",
        mirror_url=f"http://{net.mirror}:5000",
        api_token=tokens["api"],
        create_token=tokens["create_runner"],
        manage_token=tokens["manage_runner"],
        registration_token=tokens["registration"],
        expired_token=tokens["expired"],
        runner_image=runner.name,
        stand_in=runner.stand_in,
        state=names.state,
    )


def _in_turn(say: Say) -> Say:
    """One line at a time, whichever thread says it."""
    lock = threading.Lock()

    def one(line: str) -> None:
        with lock:
            say(line)

    return one


def _fill(
    store: ImageStore,
    names: Names,
    net: Net,
    tokens: dict[str, str],
    wanted: str | None,
    kinds: Iterable[str],
) -> RunnerImages:
    """Everything behind a World, what is independent at the same time."""
    gitlab, registry = (
        containers.gitlab(net, tokens),
        containers.registry(net, keys.password(names.state, "push")),
    )
    with ThreadPoolExecutor() as pool:
        runner = pool.submit(manager.choose, store, wanted)
        shipping = pool.submit(mirror.registry, store)
        built = [pool.submit(build, store, kind) for kind in kinds]
        image = containers.build(store)
        serving = pool.submit(containers.ensure, store.client, names, image, gitlab)
        containers.ensure(store.client, names, image, registry)
        for name, each in runner.result().images.items():
            mirror.push(store.client, names, each, name)
        mirror.push(store.client, names, shipping.result(), f"library/{mirror.REGISTRY}")
        serving.result()
        for host in built:
            host.result()
    for kind in {"systemd", *kinds}:
        _ready(store, names, kind)
    return runner.result()


def _ready(store: ImageStore, names: Names, kind: str) -> None:
    """The image of a kind of host, and its bare Debian in the mirror."""
    suite = find(kind).suite
    build(store, kind)
    mirror.push(store.client, names, store.base(suite), f"library/debian:{suite}")


def down(say: Say = print, images: bool = True) -> None:
    """Leave nothing behind, except what was installed on this machine."""
    names = Names.current()
    client = daemon.connect()
    if client is not None:
        with translated(f"take down the sandbox {names.sandbox}"):
            _empty(client, names, say, images)
        daemon.stop(client, names.state, say)
    shutil.rmtree(names.state, ignore_errors=True)
    say(f"the sandbox {names.sandbox} is down")


def _empty(client: docker.DockerClient, names: Names, say: Say, images: bool) -> None:
    networks = client.networks.list(filters=names.filter)
    for each in networks:
        names.owned(each.attrs.get("Labels") or {})
    containers = client.containers.list(all=True, filters=names.filter, ignore_removed=True)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda container: container.remove(v=True, force=True), containers))
    for each in networks:
        each.remove()
    say(f"removed {counted(len(containers), 'container')} and the network")
    if not images:
        return
    if others := daemon.sandboxes(client):
        say(f"images stay: other sandboxes use them ({', '.join(sorted(others))})")
    else:
        say(f"removed {counted(clear(client, names.state), 'image')}")
