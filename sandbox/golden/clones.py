"""Machines of a golden image, switched on with user data as people give it."""

import json
import shlex
import time
from dataclasses import dataclass, field
from pathlib import Path

from fabric import Connection

from runnerkit.errors import KitError
from runnerkit.golden import qemu
from runnerkit.golden.vm import Vm
from runnerkit.machine.failure import Failed
from runnerkit.machine.machine import Machine
from runnerkit.machine.ssh.connection import connection
from runnerkit.settings.model import Settings
from sandbox import keys
from sandbox.world import World

USER = "golden-test"  # of the tests, with sudo
PATIENCE = 600.0  # seconds for a machine to do the next thing; without KVM it takes a minute


@dataclass
class Clone:
    """A machine from the image; the times are seconds since it was switched on."""

    name: str
    vm: Vm
    key: Path
    started: float = field(default_factory=time.monotonic)
    times: dict[str, float] = field(default_factory=dict)
    identities: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.machine = Machine(self.login(USER))

    def reached(self, what: str) -> None:
        self.times[what] = round(time.monotonic() - self.started, 1)

    def run(self, script: str) -> str:
        """What a script prints in it, run as root."""
        return self.machine.run(script).strip()

    def left(self) -> None:
        """Its connection is done with; the next one is another."""
        self.machine.close()
        self.machine = Machine(self.login(USER))

    def until(self, test: str, what: str) -> None:
        """Wait in it until a test succeeds; `what` says what it has not, if that never comes."""
        loop = f"until {test}; do sleep 0.5; done"
        try:
            self.run(f"timeout {PATIENCE:.0f} sh -c {shlex.quote(loop)}")
        except Failed:
            journal = "journalctl -u docker -u runnerkit-first-boot -n 3 -o cat --no-pager; :"
            raise KitError(
                f"{self.name} {what} after {PATIENCE:.0f} s: {self.run(journal)}",
                f"see its console, {self.vm.console}",
            ) from None

    def login(self, user: str) -> Connection:
        """A connection of a user's own, whose key the machine was given; not opened yet."""
        known = str(self.vm.console.with_name("known_hosts"))
        return connection(
            f"{user}@{self.vm.address}:{self.vm.ssh}", str(self.key), known, accept=True
        )


def switch_on(
    name: str,
    image: Path,
    folder: Path,
    settings: Settings,
    world: World,
    token: str,
    address: str = "127.0.0.1",
) -> Clone:
    """Start a machine from the image, with user data as people give it; `token` may be "".

    The sandbox's key lets in the image's user, and one with sudo; at `address`, of this machine.
    """
    folder.mkdir(parents=True)
    disk = qemu.overlay(image, folder / "disk.qcow2")
    key = keys.key(world.state)
    environment = f"RUNNERKIT_URL={world.gitlab_url}\n"
    files = [{"path": "/etc/runnerkit/first-boot.env", "content": environment}]
    if token:
        files.append({"path": "/etc/runnerkit/token", "permissions": "0600", "content": token})
    keys_in = {"ssh_authorized_keys": [key.with_suffix(".pub").read_text().strip()]}
    root = {"name": USER, "sudo": "ALL=(ALL) NOPASSWD:ALL", "shell": "/bin/sh", **keys_in}
    users = [root, {"name": settings.golden.user, **keys_in}]
    data = {"hostname": name, "users": users, "write_files": files}
    seed = folder / "seed"
    seed.mkdir(mode=0o700)
    (seed / "user-data").write_text(f"#cloud-config\n{json.dumps(data)}\n")  # JSON is YAML
    (seed / "meta-data").write_text(f"instance-id: {name}\nlocal-hostname: {name}\n")
    golden = settings.golden
    vm = qemu.boot(disk, folder, golden.memory_mb, golden.cpus, seed, address=address)
    return Clone(name, vm, key)


def answers(clone: Clone) -> None:
    """Wait for its SSH."""
    if not clone.vm.wait(PATIENCE):
        raise KitError(
            f"{clone.name} does not answer SSH after {PATIENCE:.0f} s: {clone.vm.tail(3)}",
            f"see its console, {clone.vm.console}",
        )
    clone.reached("ssh")
