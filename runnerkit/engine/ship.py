"""A job image from one host to others: only the layers that each lacks, verified by its id."""

import contextlib
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import docker

from runnerkit.engine import registry, space
from runnerkit.engine.client import find, saved, untag
from runnerkit.engine.failure import translated
from runnerkit.engine.transfer import push
from runnerkit.errors import KitError
from runnerkit.events import Detail, Progress, Tell
from runnerkit.machine import tunnel
from runnerkit.machine.machine import Machine

# The names that an image has on the way, where it is from and where it goes to.
DEPARTING = f"127.0.0.1:{registry.PORT}/runnerkit/"
ARRIVING = rf"127\.0\.0\.1:(?!{registry.PORT}/)\d+/runnerkit/"
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
        registry_image: str,
        tell: Tell,
        ending: ExitStack,
    ) -> None:
        self.reference = reference
        self._machine, self._client, self._tell = machine, client, tell
        self._registry_image, self._ending = registry_image, ending
        self._lock = threading.Lock()
        self._why: str | None = None
        untag(client, re.escape(DEPARTING))
        self._image = find(client, reference)
        if not self._image:
            raise KitError(
                f"{machine.where()} has no image {reference}",
                f"build it there first: ./inv image.build {reference.partition(':')[0]}",
            )
        self.id = str(self._image["Id"])

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
        moved = Moved()
        if not find(client, self.id):
            with self._at_source():
                history = self._client.history(self.id)  # type: ignore[no-untyped-call]
            space.check(self.reference, self._image, history, machine, client, min_free_mb)
            moved = self._move(machine, client, tell)
        name, _, tag = self.reference.rpartition(":")
        for each in (tag, "latest"):  # the plain name moves last
            client.tag(self.id, name, each, force=True)
        untag(client, ARRIVING)
        return moved

    def _move(self, machine: Machine, client: docker.APIClient, tell: Tell) -> Moved:
        why = self._published()
        if not why:
            try:
                with tunnel.offered(
                    machine, lambda: tunnel.dial(self._machine, registry.PORT)
                ) as door:
                    self._pull(client, door, tell)
                return Moved(door.moved, "registry")
            except (tunnel.Refused, _Unreached) as error:
                why = error.what
        tell(Detail(f"by save and load: {why}"))
        return Moved(self._load(client, tell), "save and load", why)

    def _published(self) -> str:
        """Why no registry gives the image, or "": the first host that asks has it put into one."""
        with self._lock:
            if self._why is None:
                try:
                    with self._at_source():
                        self._ending.enter_context(
                            registry.serving(
                                self._machine, self._client, self._registry_image, self._tell
                            )
                        )
                        self._push()
                    self._why = ""
                except KitError as error:
                    self._why = error.what
            return self._why

    def _at_source(self) -> contextlib.AbstractContextManager[None]:
        return translated(f"{self._machine.where()}: send {self.reference}")

    def _push(self) -> None:
        name, _, tag = f"{DEPARTING}{self.reference}".rpartition(":")
        self._client.tag(self.id, name, tag)
        try:
            push(self._client, f"{name}:{tag}", {}, self._tell)
        finally:
            self._client.remove_image(f"{name}:{tag}", noprune=True)

    def _pull(self, client: docker.APIClient, door: tunnel.Door, tell: Tell) -> None:
        name, _, tag = f"127.0.0.1:{door.port}/runnerkit/{self.reference}".rpartition(":")
        try:
            for event in client.pull(name, tag=tag, stream=True, decode=True, auth_config={}):
                if "error" in event or door.failure:
                    raise KitError(door.failure or event["error"])
                tell(Progress(door.moved))
        except (KitError, docker.errors.APIError) as error:
            reason = str(getattr(error, "what", "") or getattr(error, "explanation", error))
            if not door.moved and not door.failure:
                raise _Unreached(
                    f"the engine does not reach the host's loopback: {reason}"
                ) from None
            raise KitError(f"{self.reference} did not arrive whole: {reason}", AGAIN) from None
        if (got := find(client, f"{name}:{tag}").get("Id")) != self.id:
            untag(client, ARRIVING)
            raise KitError(f"{self.reference} arrived as {got}, not as {self.id}", AGAIN)

    def _load(self, client: docker.APIClient, tell: Tell) -> int:
        moved = 0

        def counted() -> Iterator[bytes]:
            nonlocal moved
            with self._at_source():
                for chunk in saved(self._client, self.id):
                    moved += len(chunk)
                    tell(Progress(moved))
                    yield chunk

        events = client.load_image(counted())  # type: ignore[no-untyped-call]
        failure = next((event["error"] for event in events if "error" in event), "")
        if failure or not find(client, self.id):
            raise KitError(f"{self.reference} did not arrive whole: {failure}", AGAIN)
        return moved


@contextlib.contextmanager
def source(
    machine: Machine, client: docker.APIClient, reference: str, registry_image: str, tell: Tell
) -> Iterator[Offer]:
    """Offer an image of a host to others.

    Args:
        machine: the host that has it.
        client: its engine.
        reference: NAME:HASH.
        registry_image: the image of the registry that serves it there meanwhile.
        tell: told how far it is.

    Raises:
        KitError: the host has no such image.
    """
    with ExitStack() as ending:
        yield Offer(machine, client, reference, registry_image, tell, ending)


class _Unreached(KitError):
    """The engine did not come through the tunnel at all."""
