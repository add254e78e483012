"""A job image from one host to others: only the layers that each lacks, verified by its content."""

import contextlib
import itertools
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import docker

from runnerkit.engine import registry, space, stream
from runnerkit.engine.certificate import trusted
from runnerkit.engine.client import find, untag
from runnerkit.engine.failure import fix, translated
from runnerkit.engine.permit import ISSUER
from runnerkit.engine.transfer import push
from runnerkit.errors import KitError
from runnerkit.events import Detail, Progress, Tell
from runnerkit.images.content import content
from runnerkit.machine import forward, tunnel
from runnerkit.machine.machine import Machine
from runnerkit.plan import Pull
from runnerkit.redact import mask

# The names that an image has on the way, where it is from and where it goes to.
WAY = r"127\.0\.0\.1:\d+/runnerkit/"
DEPARTING = f"127.0.0.1:{registry.PORT}/runnerkit/"
ARRIVING = rf"127\.0\.0\.1:(?!{registry.PORT}/)\d+/runnerkit/"
# What an engine says that does not take the certificate, or shows no permit.
UNTRUSTED = f"x509|tls: |HTTP response to HTTPS|service={ISSUER}|[Uu]nauthorized"
AGAIN = "run again: it goes on from there; where the disk is full make room first"


@dataclass(frozen=True)
class Moved:
    """How an image came to a host.

    `way` is "registry", "save and load", or "" where it was there; `why` says why not the registry.
    """

    bytes: int = 0
    way: str = ""
    why: str = ""

    def __str__(self) -> str:
        if not self.way:
            return "there already"
        by = f" by {self.way} ({self.why})" if self.why else ""
        return f"moved {self.bytes / 1e6:.1f} MB{by}"


class Offer:
    """An image of one host, to be sent to others, from a thread each; see `source`."""

    def __init__(
        self,
        machine: Machine,
        client: docker.APIClient,
        reference: str,
        registry_image: Pull,
        tell: Tell,
        ending: ExitStack,
    ) -> None:
        self.reference, self._repository = reference, f"runnerkit/{reference.rpartition(':')[0]}"
        self._machine, self._client, self._tell = machine, client, tell
        self._registry_image, self._ending = registry_image, ending
        self._lock, self._streams = threading.Lock(), itertools.count(1)
        self._why: str | None = None
        self._registry: registry.Registry | None = None
        untag(client, WAY)
        self._image = find(client, reference)
        if not self._image:
            raise KitError(
                f"{machine.where()} has no image {reference}",
                f"build it there first: ./inv image.build {reference.partition(':')[0]}",
            )
        self.id, self._content = str(self._image["Id"]), content(self._image)

    def send(
        self, machine: Machine, client: docker.APIClient, min_free_mb: int, tell: Tell
    ) -> Moved:
        """Give a host the image under both its names; nothing is moved where it has it.

        Args:
            machine: the host.
            client: its engine.
            min_free_mb: what must stay free on its disk.
            tell: told how far it is.

        Raises:
            KitError: the host cannot run it, has no room for it, or it did not arrive whole.
        """
        moved, number = Moved(), self._held(client, self.id, self.reference)
        if not number:
            with self._at_source():
                history = self._client.history(self.id)  # type: ignore[no-untyped-call]
            space.check(self.reference, self._image, history, machine, client, min_free_mb)
            moved, arrived = self._move(machine, client, tell)
            if not (number := self._held(client, arrived)):
                got = find(client, arrived).get("Id", "nothing")
                untag(client, ARRIVING)
                raise KitError(f"{self.reference} arrived as {got}, not as {self.id}", AGAIN)
        name, _, tag = self.reference.rpartition(":")
        for each in (tag, "latest"):  # the plain name moves last
            client.tag(number, name, each, force=True)
        untag(client, ARRIVING)
        return moved

    def _held(self, client: docker.APIClient, *names: str) -> str:
        """What an engine calls the image, if it has it by one of these names; else ""."""
        found = (find(client, name) for name in names)
        return next((str(one["Id"]) for one in found if one and content(one) == self._content), "")

    def _move(self, machine: Machine, client: docker.APIClient, tell: Tell) -> tuple[Moved, str]:
        why = self._published()
        if self._registry and not why:
            try:
                dial = partial(forward.dial, self._machine, registry.PORT)
                with tunnel.offered(machine, dial) as door:
                    name = f"127.0.0.1:{door.port}/runnerkit/{self.reference}"
                    with trusted(machine, client, door.port, self._registry.certificate):
                        login = self._registry.login(door.port, self._repository, "pull")
                        self._pull(partial(client.pull, name, auth_config=login), door, tell)
                return Moved(door.moved, "registry"), name
            except (forward.NoForwarding, _Unreached) as error:
                why = error.what
        tell(Detail(f"by save and load: {why}"))
        name = f"127.0.0.1:{next(self._streams)}/runnerkit/{self.reference}"
        moved = stream.copy(self._client, client, (self.id, name), self._at_source, tell)
        return Moved(moved, "save and load", why), name

    def _published(self) -> str:
        """Why no registry gives the image, or "": the first host that asks has it put into one."""
        with self._lock:
            if self._why is None:
                try:
                    with self._at_source():
                        serving = registry.serving(
                            self._machine, self._client, self._registry_image, self._tell
                        )
                        self._registry = self._ending.enter_context(serving)
                        self._push(self._registry)
                    self._why = ""
                except KitError as error:
                    self._why = error.what
            return self._why

    def _at_source(self) -> contextlib.AbstractContextManager[None]:
        return translated(f"{self._machine.where()}: send {self.reference}")

    def _push(self, serving: registry.Registry) -> None:
        name, _, tag = f"{DEPARTING}{self.reference}".rpartition(":")
        self._client.tag(self.id, name, tag)
        try:
            login = serving.login(registry.PORT, self._repository, "pull", "push")
            with trusted(self._machine, self._client, registry.PORT, serving.certificate):
                push(self._client, f"{name}:{tag}", login, self._tell)
        finally:
            self._client.remove_image(f"{name}:{tag}", noprune=True)

    def _pull(self, pull: Callable[..., Any], door: tunnel.Door, tell: Tell) -> None:
        try:
            for event in pull(stream=True, decode=True):
                if "error" in event or door.failure:
                    raise KitError(door.failure or event["error"])
                tell(Progress(door.moved))
        except (KitError, docker.errors.APIError) as error:
            reason = mask(str(getattr(error, "what", "") or getattr(error, "explanation", error)))
            if not door.failure and (not door.moved or re.search(UNTRUSTED, reason)):
                raise _Unreached(f"the engine does not reach the loopback: {reason}") from None
            what = f"{self.reference} did not arrive whole: {reason}"
            raise KitError(what, fix(reason, AGAIN)) from None


@contextlib.contextmanager
def source(
    machine: Machine, client: docker.APIClient, reference: str, registry_image: Pull, tell: Tell
) -> Iterator[Offer]:
    """Offer an image of a host to others.

    Args:
        machine: the host that has it.
        client: its engine.
        reference: NAME:HASH.
        registry_image: that of the registry which serves it there meanwhile.
        tell: told how far it is.

    Raises:
        KitError: the host has no such image.
    """
    with ExitStack() as ending:
        yield Offer(machine, client, reference, registry_image, tell, ending)


class _Unreached(KitError):
    """The engine did not come through the tunnel at all."""
