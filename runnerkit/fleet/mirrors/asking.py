"""Registries asked for images, from a host, side by side and in bounded time."""

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from runnerkit.engine.serving import address, door, serves
from runnerkit.facts import probe
from runnerkit.facts.docker_trust import checked, of_registry
from runnerkit.facts.probe import Probe, Reply, Served
from runnerkit.fleet.health.probing import beside
from runnerkit.images import platforms
from runnerkit.images.content import may_be_containerds
from runnerkit.images.reference import HUB
from runnerkit.machine.failure import Failed
from runnerkit.machine.forward import NoForwarding
from runnerkit.machine.machine import Machine
from runnerkit.machine.route import Route
from runnerkit.place import TEMPLATES
from runnerkit.settings.access import Access

LIMIT = 6.0  # seconds that all of it takes at most, after the names are known
SAMPLE = 1 << 18  # bytes of each image's largest layer


def served(
    machine: Machine,
    registries: Sequence[str],
    images: Sequence[str],
    architecture: str,
    info: Mapping[str, Any],
    access: Access,
) -> tuple[Served, ...]:
    """How far each registry serves each image to the host.

    Args:
        machine: the host.
        registries: their addresses, Docker Hub by its name.
        images: names of Docker Hub's images.
        architecture: the host's, as its kernel names it.
        info: what its ``docker info`` says; nothing where there is no Docker yet.
        access: the host's proxy and CA.

    Raises:
        NoForwarding: the host's sshd carries nothing.
    """
    urls = {one: address(one) if one == HUB else one for one in registries}
    route = _routes(machine, urls, info, access)
    late = Reply("", "silence")
    found = {(one, image): Served(one, image, "door", late) for one in urls for image in images}

    def ask(registry: str, image: str) -> None:
        got = serves(route(registry), urls[registry], image, processor, SAMPLE, containerd)
        found[registry, image] = replace(got, registry=registry)

    def knock(registry: str) -> None:
        # Docker goes on also where that is refused.
        if (shut := door(route(registry), urls[registry])) and shut.reply.trouble:
            for image in images:
                found[registry, image] = replace(shut, registry=registry, image=image)
        else:
            beside(partial(ask, registry, image) for image in images)

    containerd = may_be_containerds(info)
    processor = platforms.of(architecture).split("/")[1]
    beside((partial(knock, one) for one in urls), LIMIT)
    return tuple({**found}.values())


def shut(
    machine: Machine, registries: Sequence[str], info: Mapping[str, Any], access: Access
) -> bool:
    """Whether one of them does not answer the host as a registry does.

    Args:
        machine: the host.
        registries: their addresses.
        info: what its ``docker info`` says.
        access: the host's proxy and CA.
    """
    urls = {one: one for one in registries}
    route, open_ = _routes(machine, urls, info, access), set[str]()

    def knock(one: str) -> None:
        if not door(route(one), one):
            open_.add(one)

    with suppress(NoForwarding):
        beside((partial(knock, one) for one in urls), LIMIT)
        return {*urls} != open_
    return False


def _routes(
    machine: Machine, urls: Mapping[str, str], info: Mapping[str, Any], access: Access
) -> Callable[[str], Route]:
    """The way to each registry, with the certificates that the host's Docker takes of it."""
    known = _surroundings(machine, urls.values())
    way = Route(machine, {**known.names}, through=access.through)

    def route(one: str) -> Route:
        own = of_registry(known.certificates, info, urls[one], mirror=one != HUB)
        return way.trusting(access.ca + own, checked(info, urls[one]))

    return route


def _surroundings(machine: Machine, urls: Iterable[str]) -> Probe:
    """Addresses of these names, all at once, and certificates that the host trusts besides."""
    names = shlex.join(dict.fromkeys(urlsplit(url).hostname or "" for url in urls))
    head = f"CONTAINER=\nNAMES={shlex.quote(names)}\nPATH=/usr/local/sbin:$PATH:/usr/sbin:/sbin\n"
    try:
        text = machine.run(f"{head}{(TEMPLATES / 'probe.sh').read_text()}\nask() {{ :; }}\nprobe")
    except Failed:
        return Probe()
    return probe.parse(text)
