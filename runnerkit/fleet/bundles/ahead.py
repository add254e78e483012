"""The images of a bundle, sent while a host's packages install and while its engine loads others."""

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from runnerkit.bundle.contents import blob
from runnerkit.events import Progress, Tell
from runnerkit.machine import upload
from runnerkit.machine.machine import Machine
from runnerkit.plan import Change, Load


class Ahead:
    """What images that are to be loaded need, sent in their order by one worker.

    It is for a host without Docker: another's engine has to tell first what it lacks. What does not
    arrive so is sent when it is needed, and why is told then.

    Args:
        machine: the host.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._coming: list[Load] = []
        self._sent: dict[str, Future[None]] = {}
        self._tell: Tell = lambda _: None
        self._pool = ThreadPoolExecutor(1)

    def expect(self, pending: Iterable[Change]) -> None:
        """Note what will be made."""
        self._coming = [one for one in pending if isinstance(one, Load)]

    def begin(self) -> None:
        """Send what images are expected, each part once."""
        known: set[str] = set()
        for one in self._coming:
            digests = [digest for digest in one.image.blobs if digest not in known]
            known |= {*digests}
            self._sent[one.image.manifest] = self._pool.submit(self._send, one, digests)
        self._coming = []

    def wait(self, change: Load, tell: Tell) -> None:
        """Until that image has been sent, if it is on its way; it is expected no longer."""
        self._coming = [one for one in self._coming if one is not change]
        if future := self._sent.pop(change.image.manifest, None):
            self._tell = tell
            future.exception()

    def close(self) -> None:
        """Begin nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _send(self, change: Load, digests: Sequence[str]) -> None:
        files = upload.of_bundle(change.bundle, [blob(digest) for digest in digests])
        upload.put(self._machine, files, lambda done, total: self._tell(Progress(done, total)))
