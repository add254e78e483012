"""What servers answer on the way from a host, asked side by side and in bounded time."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import TypeVar
from urllib.parse import urlsplit

from runnerkit.checks.host import system
from runnerkit.checks.network import gitlab_answers, mirrors, package_sources, proxy, registries
from runnerkit.engine.serving import address, serves
from runnerkit.facts import Facts
from runnerkit.facts.docker_trust import checked, of_registry, of_system, secure
from runnerkit.facts.probe import Probe, Reply, Served
from runnerkit.images import platforms
from runnerkit.images.content import may_be_containerds
from runnerkit.images.reference import HUB, normal, registry
from runnerkit.machine.forward import NoForwarding
from runnerkit.machine.machine import Machine
from runnerkit.machine.route import PORTS, Exchange, Route, Trouble
from runnerkit.want import Want, bare

LIMIT = 6.0  # seconds that all of it takes at most
MOST = 100  # calls at the same time: a host names mirrors and sources as it likes
Call = Callable[[], None]
R = TypeVar("R")


def beside(calls: Iterable[Call], limit: float = LIMIT) -> None:
    """Do these at the same time; one that takes longer is not waited for.

    Raises:
        Exception: the first that one of them raised meanwhile.
    """
    failures: list[Exception] = []

    def one(call: Call) -> None:
        try:
            call()
        except Exception as error:  # of one that nobody waits for, nobody hears
            failures.append(error)

    few = islice(calls, MOST)
    threads = [threading.Thread(target=one, args=(call,), daemon=True) for call in few]
    for thread in threads:
        thread.start()
    end = time.monotonic() + limit
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    if failures:
        raise failures[0]


class Probing:
    """The questions about one host, and what came of them.

    Args:
        machine: the host.
        want: what it should be.
        have: what is known of it.
        looked: when its clock was read, by our monotonic one.
    """

    def __init__(self, machine: Machine, want: Want, have: Facts, looked: float) -> None:
        self._want, self._have, self._looked = want, have, looked
        self._probe = have.probe or Probe()
        names = {**self._probe.names}
        self._certificates = self._probe.certificates
        system = want.network.ca + of_system(self._certificates)
        self._route = Route(machine, names, {"": system}, through=want.network.through)
        trusted = {"": system, **self._of_gitlab()}
        self._of_manager = Route(
            machine, names, trusted, through=lambda _: proxy.for_gitlab(want, have)
        )
        self._gitlab: Reply | None = None
        self._packages: list[Reply] = []
        self._served: list[Served] = []
        self._forwards = True

    def calls(self, pre: bool) -> list[Call]:
        """What is asked."""
        askable = urlsplit(proxy.for_gitlab(self._want, self._have)).scheme in ("", *PORTS)
        found: list[Call] = [self._ask_gitlab] if self._want.url and askable else []
        if pre:
            places = package_sources.places(self._want, self._have)
            found += [self._call(self._ask_package, one) for one in places]
            if any(system.findings(self._want, self._have)):  # nothing comes to such a host
                return found
        return [*found, *(self._call(self._ask_image, name) for name in self._images())]

    @property
    def probe(self) -> Probe:
        """What the host was asked, with all that came back until now."""
        return replace(
            self._probe,
            gitlab=self._gitlab,
            packages=tuple(self._packages),
            served=tuple(self._served),
            forwards=self._forwards,
        )

    def _call(self, ask: Callable[[str], None], one: str) -> Call:
        return lambda: ask(one)

    def _ask_gitlab(self) -> None:
        url = f"{bare(self._want.url)}/api/v4/version"
        self._gitlab = self._reply(url, self._of_manager)

    def _ask_package(self, url: str) -> None:
        if reply := self._reply(url, self._route):
            self._packages.append(reply)

    def _reply(self, url: str, route: Route) -> Reply | None:
        begun = time.monotonic()
        try:
            return self._read(url, route.ask(url))
        except Trouble as error:
            return Reply(url, error.kind, error.why, seconds=time.monotonic() - begun)
        except NoForwarding:
            self._forwards = False
            return None

    def _read(self, url: str, answer: Exchange) -> Reply:
        heads = answer.heads
        return Reply(
            url,
            status=answer.status,
            kind=heads.get("content-type", "")[:200],
            skew=self._skew(heads.get("date", "")),
            seconds=answer.seconds,
            place=heads.get("location", "")[:200],
        )

    def _skew(self, date: str) -> int | None:
        """How far the host's clock is ahead of that time, by how long ago it was read."""
        try:
            there = parsedate_to_datetime(date).timestamp()
        except (ValueError, OverflowError):
            return None
        return round(self._have.now + time.monotonic() - self._looked - there)

    def _images(self) -> list[str]:
        if mirrors.apart(self._want, self._have):
            return []  # Docker goes a way of its own, and tells nobody its password
        # Of Docker Hub's, those that choose themselves are asked all at once.
        auto = mirrors.askable(self._want, self._have)
        every = registries.images(self._want, self._have).items()
        return [name for name, names in every if not auto or HUB not in map(registry, names)]

    def _ask_image(self, name: str) -> None:
        """By its first name; by others where it is not on the host, and the first is not served."""
        sources = registries.images(self._want, self._have)[name]
        for source in sources:
            places = registries.asked(source, registries.mirrors(self._want, self._have))
            beside([self._call_both(self._ask_registry, one, source) for one in places])
            served = any(not one.step for one in self._served if one.image == source)
            if served or normal(name) in self._have.images:
                return

    def _call_both(self, ask: Callable[[str, str], None], one: str, other: str) -> Call:
        return lambda: ask(one, other)

    def _ask_registry(self, where: str, image: str) -> None:
        mirror = "://" in where
        url = where if mirror else self._address(where)
        own = of_registry(self._certificates, self._have.info, url, mirror)
        certificates = self._want.network.ca + own
        route = self._route.trusting(certificates, checked(self._have.info, url))
        if where in self._want.docker.registry_logins:
            self._ask_door(route, url, where, image)
            return
        architecture = platforms.of(self._have.architecture).split("/")[1]
        try:
            containerd = may_be_containerds(self._have.info)
            found = serves(route, url, image, architecture, containerd=containerd)
        except NoForwarding:
            self._forwards = False
        else:
            self._served.append(replace(found, registry=where))

    def _ask_door(self, route: Route, url: str, where: str, image: str) -> None:
        """What a registry serves to a login alone is not asked: the login stays on this machine."""
        reply = self._reply(f"{url}/v2/", route)
        if reply and (reply.trouble or reply.status not in (200, 401)):
            self._served.append(Served(where, image, "door", reply))

    def _address(self, where: str) -> str:
        plain = secure(self._have.info, where) is False
        return f"http://{where}" if plain else address(where)

    def _of_gitlab(self) -> dict[str, str]:
        """Certificates by which the manager knows GitLab."""
        known = (self._have.files.get(one) for one in gitlab_answers.authorities(self._want))
        host = urlsplit(self._want.url).hostname or ""
        return {host: "".join(file.text for file in known if file)}
