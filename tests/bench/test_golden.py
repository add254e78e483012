"""From switched on to online: a machine of an image, and the base that it was baked from, bootstrapped."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomlkit

from runnerkit.golden import bake, base, qemu
from runnerkit.settings.load import load
from sandbox.client import Client
from sandbox.golden import clones, pair, trial
from sandbox.world import World, up
from tests.hosts.kit import Kit
from tests.vm.test_clones import eventually


@pytest.fixture(scope="module")
def world() -> World:
    return up()


@pytest.fixture
def client(world: World) -> Iterator[Client]:
    result = Client(world.gitlab_url, world.api_token)
    yield result
    result.forget_runners(pair.TAG)


def online(world: World, client: Client, image: Path, folder: Path, kit: Kit | None) -> float:
    """Seconds until one machine asks for jobs; with a kit it is bootstrapped as soon as it answers."""
    read = load(command_line=trial.data(world))
    token = client.new_runner(pair.TAG, tag_list=pair.TAG)
    clone = clones.switch_on("timed", image, folder, read, world, "" if kit else token)
    try:
        if kit:
            clones.answers(clone)
            address = f"{clones.USER}@{clone.vm.address}:{clone.vm.ssh}"
            kit.data["hosts"] = {"timed": {"address": address, "identity": str(clone.key)}}
            (kit.folder / "runnerkit.toml").write_text(tomlkit.dumps(kit.data))
            kit.env["RUNNER_TOKEN"] = token
            ran = kit.run("bootstrap", "--host", "timed", "--accept-new-host-keys", timeout=1800)
            assert ran.code == 0, ran.out + ran.err
        eventually(lambda: pair.online(client))
        clone.reached("online")
    finally:
        clone.vm.stop()
        client.forget_runners(pair.TAG)
    return clone.times["online"]


def test_a_golden_machine_is_online_before_its_base_is_bootstrapped(
    world: World, client: Client, tmp_path: Path
) -> None:
    kit = Kit(world, tmp_path)
    data = trial.data(world)
    data["runners"]["default"]["token"] = {"env": "RUNNER_TOKEN"}
    kit.data = {**data, "ssh": {"known_hosts": str(tmp_path / "known_hosts")}}
    read = load(command_line=data)
    image = bake.bake(read, lambda *_: None)
    disk = base.disk(read.golden, bake.FOLDER, print, docker=True)
    larger = qemu.overlay(disk, tmp_path / "base.qcow2", read.golden.disk_gb)
    fresh = online(world, client, larger, tmp_path / "fresh", kit)
    baked = online(world, client, image, tmp_path / "baked", None)
    shutil.rmtree(image.parent)
    print(
        f"\nonline after {baked:.0f} s, bootstrapped {fresh:.0f} s: ratio {baked / fresh:.2f};"
        f" {qemu.accelerator()}"
    )
    assert baked < fresh
