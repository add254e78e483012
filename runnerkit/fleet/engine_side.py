"""A host's Docker Engine as its changes need it: connected to when it is first asked for."""

import threading
from typing import TYPE_CHECKING

from runnerkit.errors import KitError
from runnerkit.events import Tell, named
from runnerkit.fleet.bundles import supplies
from runnerkit.fleet.bundles.ahead import Ahead
from runnerkit.machine.machine import Machine
from runnerkit.plan import Build, Load, Pull, Supply
from runnerkit.want import Want

if TYPE_CHECKING:
    import docker


class EngineSide:
    """The engine of one host.

    Args:
        machine: the host.
        tell: told what goes on.
    """

    def __init__(self, machine: Machine, tell: Tell) -> None:
        self._machine, self._tell, self.ahead = machine, tell, Ahead(machine)
        self._client: docker.APIClient | None = None
        self._connecting = threading.Lock()

    @property
    def client(self) -> "docker.APIClient":
        """The connection to it."""
        from runnerkit.engine import client

        with self._connecting:
            if self._client is None:
                self._client = client.connect(self._machine)
        return self._client

    def make(self, want: Want, change: Pull | Build | Load, beside: bool) -> None:
        """Pull, build or load.

        Args:
            want: what the host should be.
            change: what.
            beside: whether others go on at the same time, and it has to say of which it speaks.

        Raises:
            KitError: it failed.
        """
        from runnerkit.engine import build, failure, load, transfer

        if isinstance(change, Load):
            self.ahead.wait(change, self._tell)
            with failure.translated(change.title):
                load.load(self.client, self._machine, change, self._tell)
            return
        name = change.image if isinstance(change, Pull) else change.image.name
        tell = named(name, self._tell) if beside else self._tell
        with failure.translated(change.title):
            if isinstance(change, Pull):
                try:
                    transfer.pull(self.client, change, tell)
                except KitError as error:
                    from runnerkit.fleet.mirrors.pull_failure import explained

                    raise explained(self._machine, self.client, want, change, error) from None
            else:
                build.build(self.client, self._machine, change, tell)

    def supply(self, supply: Supply) -> None:
        """Bring what a script needs of a bundle, and then, while that runs, the images that come later.

        Raises:
            KitError: the bundle has not got it, or the host does not take it.
        """
        supplies.send(self._machine, supply, self._tell)
        self.ahead.begin()

    def close(self) -> None:
        self.ahead.close()
        if self._client is not None:
            self._client.close()
