"""A host's registry mirrors as its plan needs them: asked at most once a run, and only where they are due."""

from collections.abc import Callable
from dataclasses import replace

from runnerkit.checks.network import mirrors, registries
from runnerkit.events import Phase, Tell
from runnerkit.facts import Facts
from runnerkit.facts.probe import Served
from runnerkit.files import daemon_json, mirror_candidates
from runnerkit.images.reference import HUB
from runnerkit.machine.machine import Machine
from runnerkit.want import Want


class MirrorSide:
    """The mirrors of one host.

    Args:
        machine: the host.
        tell: told what goes on.
    """

    def __init__(self, machine: Machine, tell: Tell) -> None:
        self._machine, self._tell = machine, tell
        self._offers: tuple[Served, ...] = ()

    def known(self, want: Want, have: Facts) -> Facts:
        """The facts with what the mirrors serve, where that is to be known for a choice."""
        return self._asked(mirrors.due, want, have)

    def examined(self, want: Want, have: Facts) -> Facts:
        """The same wherever they choose themselves."""
        return self._asked(mirrors.askable, want, have)

    def suspected(self, want: Want, have: Facts) -> Facts:
        """The same where one that was chosen does not answer."""
        return self._asked(self._silent, want, have)

    def _asked(self, whether: Callable[[Want, Facts], bool], want: Want, have: Facts) -> Facts:
        if not self._offers and whether(want, have):
            from runnerkit.fleet.mirrors.asking import served

            self._tell(Phase("asking registry mirrors"))
            images, _ = registries.hub_images(want, have)
            candidates = mirror_candidates.every(want.docker, have, daemon_json.others(want, have))
            asked = (*(one.address for one in candidates), HUB)
            self._offers = served(
                self._machine, asked, images, have.architecture, have.info, want.network
            )
        return replace(have, offers=self._offers)

    def _silent(self, want: Want, have: Facts) -> bool:
        askable = have.docker_runs and mirrors.askable(want, have)
        if not askable or not (now := daemon_json.others(want, have)):
            return False
        from runnerkit.fleet.mirrors.asking import shut

        return shut(self._machine, now, have.info, want.network)
