"""`./inv golden.bake && ./inv golden.test`, and what a machine of that image does with no secret."""

import json
import shlex
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runnerkit.errors import KitError
from runnerkit.golden import qemu
from runnerkit.settings.load import load
from sandbox.client import Client
from sandbox.golden import clones, pair, trial
from sandbox.world import World, up
from tests.hosts.kit import Kit

REGISTERED = "grep -c '^ *\\[\\[runners' /srv/gitlab-runner/config/config.toml"


@pytest.fixture(scope="module")
def world() -> World:
    return up()


@pytest.fixture(scope="module")
def image(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Baked as the README says, without settings."""
    kit = Kit(world, tmp_path_factory.mktemp("bake"), {"RUNNERKIT_SETTINGS": ""})
    ran = kit.run("golden.bake", timeout=1800)
    assert ran.code == 0, ran.out + ran.err
    result = Path(ran.out.splitlines()[0])
    yield result
    shutil.rmtree(result.parent)


def test_two_machines_of_an_image_are_runners_of_their_own(
    world: World, image: Path, tmp_path: Path
) -> None:
    kit = Kit(world, tmp_path, {"RUNNERKIT_SETTINGS": ""})
    ran = kit.run("golden.test", "--json", timeout=1800)
    assert ran.code == 0, ran.out + ran.err
    both = json.loads(ran.out)["machines"]
    assert [one["name"] for one in both] == list(pair.NAMES)
    for what in ("system id", "machine id", "host key"):
        assert len({one[what] for one in both}) == len(both)
    for one in both:
        assert 0 < one["seconds"]["ssh"] <= one["seconds"]["docker"] <= one["seconds"]["online"]
        print(one["name"], one["seconds"])


def test_a_credential_that_qemu_gives_is_enough(world: World, image: Path, tmp_path: Path) -> None:
    """No user data, no cloud-init: the address of GitLab is the settings' that it was baked with."""
    client = Client(world.gitlab_url, world.api_token)
    token = client.new_runner(pair.TAG, tag_list=pair.TAG)
    disk = qemu.overlay(image, tmp_path / "disk.qcow2")
    vm = qemu.boot(disk, tmp_path, credentials={"runnerkit.token": token})
    try:
        eventually(lambda: pair.online(client))
        assert vm.stop(), "it does not heed its power button"
    finally:
        vm.process.kill()  # where it still runs
        client.forget_runners(pair.TAG)


@pytest.fixture
def clone(world: World, image: Path) -> Iterator[clones.Clone]:
    """A machine without a secret."""
    folder = image.parent / "waits"
    shutil.rmtree(folder, ignore_errors=True)
    read = load(command_line=trial.data(world))
    result = clones.switch_on("waits", image, folder, read, world, "")
    yield result
    result.vm.stop()
    Client(world.gitlab_url, world.api_token).forget_runners(pair.TAG)
    shutil.rmtree(folder)


def test_a_machine_waits_for_its_secret_and_after_a_reboot_is_still_the_same_runner(
    world: World, clone: clones.Clone
) -> None:
    client = Client(world.gitlab_url, world.api_token)
    clones.answers(clone)
    clone.run(until("journalctl -u runnerkit-first-boot | grep -q 'no secret yet'"))
    assert clone.run("docker ps -aq") == ""
    token = client.new_runner(pair.TAG, tag_list=pair.TAG)
    clone.run(f"mkdir -p /run/runnerkit && printf %s {token} >/run/runnerkit/token")
    clone.run(until(REGISTERED))
    before = clone.run("cat /proc/sys/kernel/random/boot_id")
    eventually(lambda: pair.online(client))
    identity = pair.online(client)

    with pytest.raises(KitError):  # the connection breaks, as it should
        clone.run("systemctl reboot; sleep 60")
    clone.left()
    eventually(lambda: boot_id(clone) not in ("", before))
    clone.run(until("docker ps -q --filter name=gitlab-runner | grep -q ."))
    job = client.wait(client.queue(["echo again"], tags=[pair.TAG]), clones.PATIENCE)
    assert job["state"] == "success", job["trace"]
    assert pair.online(client) == identity
    assert clone.run(REGISTERED) == "1"
    assert len(client.runners(pair.TAG)) == 1


def until(command: str) -> str:
    loop = f"until {command}; do sleep 0.5; done"
    return f"timeout {clones.PATIENCE:.0f} sh -c {shlex.quote(loop)}"


def eventually(test: Callable[[], object]) -> None:
    deadline = time.monotonic() + clones.PATIENCE
    while not test():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def boot_id(clone: clones.Clone) -> str:
    """Of the boot that it is at; "" while it answers nobody."""
    try:
        return clone.run("cat /proc/sys/kernel/random/boot_id")
    except Exception:
        clone.left()
        return ""
