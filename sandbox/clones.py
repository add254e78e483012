"""Two machines from one golden image: each comes up as a runner of its own, and runs a job."""

import json
import shlex
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runnerkit import ssh
from runnerkit.errors import KitError
from runnerkit.golden import qemu
from runnerkit.machine import Machine
from runnerkit.settings import Settings
from sandbox import keys
from sandbox.client import Client
from sandbox.world import World

TAG = "golden-test"
USER = "golden-test"
PATIENCE = 600.0  # seconds for a machine to do the next thing; without KVM it takes a minute
HELD = ["echo it runs on $(uname -n)", "until [ -e /go ]; do sleep 0.2; done"]
LET_GO = """until job=$(docker ps -q --filter label=com.gitlab.gitlab-runner.type=build) && [ -n "$job" ] &&
  docker exec $job touch /go 2>/dev/null; do sleep 0.5; done"""
IDENTITY = ".runner_system_id"
NAMES = ("clone1", "clone2")
Say = Callable[[str], None]


@dataclass
class Clone:
    """A machine from the image; the times are seconds since it was switched on."""

    name: str
    vm: qemu.Vm
    machine: Machine
    started: float
    times: dict[str, float] = field(default_factory=dict)
    identities: dict[str, str] = field(default_factory=dict)

    def reached(self, what: str) -> None:
        self.times[what] = round(time.monotonic() - self.started, 1)

    def run(self, script: str) -> str:
        """What a script prints in it, run as root."""
        return self.machine.run(script).strip()


def trial(world: World) -> dict[str, Any]:
    """Settings of an image for trying only: all that it needs comes from the sandbox."""
    return {
        "gitlab": {"url": world.gitlab_url},
        "docker": {"registry_mirrors": [world.mirror_url]},
        "manager": {"image": world.runner_image, "concurrent": 1},
        "runners": {"default": {"image": "debian:bookworm"}},
    }


def test(image: Path, settings: Settings, world: World, say: Say) -> list[Clone]:
    """Boot two clones of an image and see what they must be.

    Args:
        image: the qcow2 file; it is not written to.
        settings: those that it was baked with; `golden` says how large its machines are.
        world: the sandbox, whose GitLab they register with.
        say: told where it is.

    Returns:
        Both, switched off.

    Raises:
        KitError: something is not as it must be; with the console's last lines.
    """
    client = Client(world.gitlab_url, world.api_token)
    token = client.new_runner(TAG, tag_list=TAG)
    folder = image.parent / "test"
    shutil.rmtree(folder, ignore_errors=True)
    clones: list[Clone] = []
    try:
        clones.extend(
            switch_on(name, image, folder / name, settings, world, token) for name in NAMES
        )
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda clone: _comes_up(clone, client, settings, say), clones))
        _differ(clones)
        _jobs(clones, client, say)
    finally:
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda clone: clone.vm.stop(), clones))
        client.forget_runners(TAG)
    shutil.rmtree(folder)
    return clones


def switch_on(
    name: str, image: Path, folder: Path, settings: Settings, world: World, token: str
) -> Clone:
    """Start a machine from the image, with user data as people give it; `token` may be ""."""
    folder.mkdir(parents=True)
    disk = qemu.overlay(image, folder / "disk.qcow2")
    key = keys.key(world.state)
    files = [{"path": "/etc/runnerkit/first-boot.env", "content": f"RUNNERKIT_URL={world.gitlab_url}\n"}]  # fmt: skip
    if token:
        files.append({"path": "/run/runnerkit/token", "permissions": "0600", "content": token})
    user = {
        "name": USER,
        "sudo": "ALL=(ALL) NOPASSWD:ALL",
        "shell": "/bin/sh",
        "ssh_authorized_keys": [key.with_suffix(".pub").read_text().strip()],
    }
    data = {"hostname": name, "users": [user], "write_files": files}
    seed = folder / "seed"
    seed.mkdir()
    (seed / "user-data").write_text(f"#cloud-config\n{json.dumps(data)}\n")  # JSON is YAML
    (seed / "meta-data").write_text(f"instance-id: {name}\nlocal-hostname: {name}\n")
    golden = settings.golden
    vm = qemu.boot(disk, folder, golden.memory_mb, golden.cpus, seed)
    address = f"{USER}@127.0.0.1:{vm.ssh}"
    context = ssh.connection(address, str(key), str(folder / "known_hosts"), accept=True)
    return Clone(name, vm, Machine(context), time.monotonic())


def _comes_up(clone: Clone, client: Client, settings: Settings, say: Say) -> None:
    answers(clone)
    say(f"{clone.name} answers SSH after {clone.times['ssh']} s")
    clone.run("until docker info >/dev/null 2>&1; do sleep 0.5; done")
    clone.reached("docker")
    say(f"{clone.name} has Docker after {clone.times['docker']} s")
    path = shlex.quote(f"{settings.manager.config_dir}/{IDENTITY}")
    clone.identities = {
        "system id": clone.run(f"until [ -s {path} ]; do sleep 0.5; done; cat {path}"),
        "machine id": clone.run("cat /etc/machine-id"),
        "host key": clone.run("cut -d ' ' -f 2 /etc/ssh/ssh_host_ed25519_key.pub"),
    }
    until = time.monotonic() + PATIENCE
    while clone.identities["system id"] not in online(client):
        if time.monotonic() > until:
            raise KitError(
                f"{clone.name} is not online after {PATIENCE:.0f} s: {clone.vm.tail(3)}",
                f"see its console, {clone.vm.console}, and journalctl -u runnerkit-first-boot in it",
            )
        time.sleep(0.2)
    clone.reached("online")
    say(f"{clone.name} is online after {clone.times['online']} s")


def answers(clone: Clone) -> None:
    """Wait for its SSH."""
    if not clone.vm.wait(PATIENCE):
        raise KitError(
            f"{clone.name} does not answer SSH after {PATIENCE:.0f} s: {clone.vm.tail(3)}",
            f"see its console, {clone.vm.console}",
        )
    clone.reached("ssh")


def online(client: Client) -> set[str]:
    """The managers that asked for jobs."""
    found = client.runners(TAG)
    return {one["system_id"] for runner in found for one in runner["managers"]}


def _differ(clones: list[Clone]) -> None:
    for what in clones[0].identities:
        found = [clone.identities[what] for clone in clones]
        if not all(found) or len(set(found)) < len(found):
            raise KitError(f"the clones share one {what}: {found[0]}", "bake the image anew")


def _jobs(clones: list[Clone], client: Client, say: Say) -> None:
    """A job on each, at the same time: held until the other runs too."""
    jobs = [client.queue(HELD, tags=[TAG]) for _ in clones]
    until = time.monotonic() + PATIENCE
    while len({client.job(job)["system_id"] for job in jobs} - {None}) < len(clones):
        if time.monotonic() > until:
            raise KitError("the clones do not take a job each", "see their managers' logs")
        time.sleep(0.2)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda clone: clone.run(LET_GO), clones))
    for job in jobs:
        ended = client.wait(job, PATIENCE)
        if ended["state"] != "success":
            raise KitError(f"a clone's job ended as {ended['state']}", ended["trace"][-500:])
    say("each ran a job")
