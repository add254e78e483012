"""Registries asked for images, from a host, side by side and in bounded time."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

from runnerkit.engine.serving import address, door, serves
from runnerkit.facts import probe
from runnerkit.facts.probe import Probe, Reply, Served
from runnerkit.fleet.health.probing import beside, certificates
from runnerkit.images import platforms
from runnerkit.images.reference import HUB
from runnerkit.machine.failure import Failed
from runnerkit.machine.machine import Machine
from runnerkit.machine.route import Route
from runnerkit.place import TEMPLATES
from runnerkit.settings.access import DIRECT, Access

LIMIT = 6.0  # seconds that all of it takes at most, after the names are known
SAMPLE = 1 << 18  # bytes of each image's largest layer


def served(
    machine: Machine,
    registries: Sequence[str],
    images: Sequence[str],
    architecture: str,
    access: Access = DIRECT,
    containerd: bool = False,
) -> tuple[Served, ...]:
    """How far each registry serves each image to the host.

    Args:
        machine: the host.
        registries: their addresses, Docker Hub by its name.
        images: names of Docker Hub's images.
        architecture: the host's, as its kernel names it.
        access: the host's proxy and CA.
        containerd: whether they must also do for containerd's store.

    Raises:
        NoForwarding: the host's sshd carries nothing.
    """
    urls = {one: address(one) if one == HUB else one for one in registries}
    known = _surroundings(machine, urls.values())
    trusted = certificates(known)
    trusted[""] = trusted.get("", "") + access.ca
    route = Route(machine, known.names, trusted, through=access.through)
    late = Reply("", "silence")
    found = {(one, image): Served(one, image, "door", late) for one in urls for image in images}

    def ask(registry: str, image: str) -> None:
        got = serves(route, urls[registry], image, processor, SAMPLE, containerd)
        found[registry, image] = replace(got, registry=registry)

    def knock(registry: str) -> None:
        if shut := door(route, urls[registry]):
            for image in images:
                found[registry, image] = replace(shut, registry=registry, image=image)
        else:
            beside(partial(ask, registry, image) for image in images)

    processor = platforms.of(architecture).split("/")[1]
    beside((partial(knock, one) for one in urls), LIMIT)
    return tuple({**found}.values())


def _surroundings(machine: Machine, urls: Iterable[str]) -> Probe:
    """Addresses of these names, all at once, and certificates that the host trusts besides."""
    names = shlex.join(dict.fromkeys(urlsplit(url).hostname or "" for url in urls))
    head = f"CONTAINER=\nNAMES={shlex.quote(names)}\nPATH=/usr/local/sbin:$PATH:/usr/sbin:/sbin\n"
    try:
        text = machine.run(f"{head}{(TEMPLATES / 'probe.sh').read_text()}\nask() {{ :; }}\nprobe")
    except Failed:
        return Probe()
    return probe.parse(text)
