"""A virtual machine of this machine that runs."""

import contextlib
import re
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from runnerkit.errors import KitError
from runnerkit.golden import console

PROGRAM = "qemu-system-x86_64"
LOG = "qemu.log"  # what it says itself, beside the console
POWER_BUTTON = b'{"execute": "qmp_capabilities"} {"execute": "system_powerdown"}\n'


@dataclass
class Vm:
    """A running machine; `ssh` at `address` is its port 22, `console` the file of its serial port."""

    process: "subprocess.Popen[bytes]"
    address: str
    ssh: int
    console: Path

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def wait(self, seconds: float, until: str = "") -> bool:
        """Wait until it answers ssh, or until its console says `until`, a regular expression.

        Returns:
            False where the time is over.

        Raises:
            KitError: the machine ended meanwhile.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if re.search(until, self.output()) if until else self._greets():
                return True
            if not self.running:
                raise KitError(
                    f"the machine ended with {self.process.returncode}: {self._last_words()}",
                    f"see its console, {self.console}",
                )
            time.sleep(0.2)
        return False

    def output(self) -> str:
        """Its console so far."""
        return console.text(self.console)

    def tail(self, lines: int = 20) -> str:
        """Its console's last lines."""
        return console.tail(self.console, lines)

    def stop(self, patience: float = 60) -> bool:
        """Press its power button; kill it where it does not heed that.

        Returns:
            Whether it went by itself.
        """
        assert self.process.stdin
        with contextlib.suppress(OSError):  # it is off already
            self.process.stdin.write(POWER_BUTTON)
            self.process.stdin.close()
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return False
        return True

    def _last_words(self) -> str:
        """QEMU's own, else the machine's."""
        lines = self.console.with_name(LOG).read_text(errors="replace").splitlines()
        return next((line for line in reversed(lines) if PROGRAM in line), self.tail(1))

    def _greets(self) -> bool:
        try:
            with socket.create_connection((self.address, self.ssh), timeout=2) as connection:
                connection.settimeout(2)
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False
