"""Hosts that reach nothing but GitLab are set up from one file, over SSH alone."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from runnerkit.bundle import reading
from runnerkit.bundle.contents import blob
from runnerkit.place import BUNDLE
from sandbox.world import BlankHost, World
from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit, Ran
from tests.pages import commands

pytestmark = pytest.mark.long  # what is here takes whole images of a manager, and packages
PAGE = "tests/hosts/test_bundle.py::test_the_commands_of_the_page"
CUT = """until ls /var/lib/dpkg/info/containerd.list; do sleep 0.02; done >/dev/null 2>&1
kill -9 $(pgrep -x apt-get) $(pgrep -x dpkg)
dpkg --audit"""
BASES = {"debian-12": "debian:bookworm", "debian-13": "debian:trixie"}


@pytest.fixture(scope="module")
def maker(world: World) -> Iterator[BlankHost]:
    """A host that reaches things."""
    yield world.host("maker", "docker")
    world.remove("maker")


@pytest.fixture(scope="module")
def file(world: World, maker: BlankHost, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle for both systems."""
    world.host("unused", "plain")  # its Debian is in the mirror then
    world.remove("unused")
    kit = Kit(world, tmp_path_factory.mktemp("bundle"))
    kit.mirrored(maker)
    settings(kit, maker)
    make(kit, "bundle.tar", "debian-12,debian-13")
    return kit.folder / "bundle.tar"


def settings(kit: Kit, *hosts: BlankHost, **more: Any) -> None:
    """The usual ones; the hosts' Docker is asked for no mirror."""
    docker = {"registry_mirrors": [], "min_free_mb": 100, **more.pop("docker", {})}
    kit.settings(*hosts, docker=docker, bundle={"bases": BASES}, **more)


def make(kit: Kit, name: str, systems: str) -> dict[str, object]:
    words = ("bundle.make", name, "--for", systems, "--from", "maker", "--json")
    ran = kit.run(*words, timeout=900)
    assert ran.code == 0, ran.out + ran.err
    print(f"made in {ran.err[-200:]}")
    return dict(json.loads(ran.out))


def cut_off(kit: Kit, host: BlankHost) -> None:
    """Take every way out from a host but those to GitLab and to this machine."""
    way(kit, host, "del", "default")
    way(kit, host, "add", "blackhole", f"{kit.world.net.mirror}/32")


def way(kit: Kit, host: BlankHost, *words: str) -> None:
    """Change a host's routes."""
    container = docker.from_env().containers.get(kit.world.names.container(f"host-{host.name}"))
    enter = ["nsenter", "-t", str(container.attrs["State"]["Pid"]), "-n", "ip", "route"]
    subprocess.run([*enter, *words], check=True)


def bootstrapped(kit: Kit, file: Path, code: int = 0) -> Ran:
    return kit.bootstrap("all", code, "--bundle", str(file))


@pytest.mark.parametrize("kind", ["systemd", "plain"])
def test_a_host_without_a_network_is_set_up_and_runs_a_job(
    kit: Kit, blank: Blank, file: Path, kind: str
) -> None:
    host = blank(kind)
    settings(kit, host)
    cut_off(kit, host)
    tag = f"offline-{kind}"
    kit.new_token(tag_list=tag)
    pending = kit.run("plan", "--host", "all", "--bundle", str(file), "--json")
    assert pending.code == 2, pending.err
    start = time.monotonic()
    done = bootstrapped(kit, file)
    held = reading.opened(file).contents
    own = [held.bytes([blob(digest) for digest in image.blobs]) for image in held.images]
    own += [held.bytes(list(one.files.values())) for one in held.packages]
    print(f"\n  {kind}: {time.monotonic() - start:.1f} s; the bundle {file.stat().st_size / 1e6:.1f} MB, "
          f"its parts' own {sum(own) / 1e6:.1f} MB")  # fmt: skip
    assert done.titles[0].startswith("install Docker (the bundle's, Debian")
    assert [one for one in pending.titles if one not in done.titles] == []
    job = kit.job("echo it runs", image="tester", tags=[tag])
    assert job["state"] == "success", job["trace"]
    assert kit.run("plan", "--host", "all", "--bundle", str(file)).code == 0
    assert kit.plan().code == 0
    left = f"ls {BUNDLE} 2>/dev/null; ls /etc/apt/sources.list.d | grep -v debian.sources"
    assert kit.ssh(host, left, check=False) == ""


def define(kit: Kit, megabytes: int) -> None:
    """Define the job image web, with so many MB that are new each time."""
    folder = kit.folder / "dockerfiles/web"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "code").write_bytes(os.urandom(megabytes * 1_000_000))
    (folder / "Dockerfile").write_text("FROM debian:bookworm\nCOPY code /\n")
    kit.env["RUNNERKIT_DOCKERFILES"] = str(folder.parent)


def test_an_installation_that_was_cut_off_is_completed_without_a_network(
    kit: Kit, blank: Blank, file: Path
) -> None:
    host = blank("systemd")
    settings(kit, host)
    cut_off(kit, host)
    kit.new_token()
    command, env = kit.command("bootstrap", "--host", "all", "--bundle", str(file))
    with subprocess.Popen(
        command, env=env, cwd=kit.folder, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as running:  # fmt: skip
        assert "containerd" in kit.ssh(host, CUT)
        assert running.wait(60) == 1
    bootstrapped(kit, file)


def test_images_are_sent_while_the_packages_install(kit: Kit, blank: Blank, file: Path) -> None:
    host = blank("systemd")
    settings(kit, host)
    cut_off(kit, host)
    kit.new_token()
    held = reading.opened(file).contents
    layer = max(held.images[0].layers, key=lambda one: one.size).digest.partition(":")[2]
    command, env = kit.command("bootstrap", "--host", "all", "--bundle", str(file))
    with subprocess.Popen(
        command, env=env, cwd=kit.folder, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as running:  # fmt: skip
        kit.ssh(host, f"until [ -e {BUNDLE}/{layer} ]; do sleep 0.05; done; ! docker info")
        assert running.wait(300) == 0
    assert kit.ssh(host, f"ls {BUNDLE} 2>/dev/null", check=False) == ""


def test_the_commands_of_the_page(kit: Kit, blank: Blank, maker: BlankHost) -> None:
    """From a bundle to a job, then an update of one image, and a registry that has them all."""
    kit.mirrored(maker)
    web = {"web": {"image": "web"}}
    make, plan, bootstrap, listing, verify, diff, push = (
        line.split()[1:] for line in commands(PAGE)
    )
    settings(kit, maker, runners=web)
    define(kit, 1)
    assert kit.run(*make, "--from", "maker", "--kit", timeout=900).code == 0
    host = blank("systemd", "ci1")
    settings(kit, host, maker, runners=web)
    cut_off(kit, host)
    kit.new_token(tag_list="page")
    assert kit.run(*plan).code == 2
    assert kit.run(*bootstrap, timeout=600).code == 0
    assert "web:latest" in kit.run(*listing).out
    assert "all as listed" in kit.run(*verify).out

    define(kit, 5)
    newer = [word.replace("bundle.tar", "newer.tar") for word in make]
    assert kit.run(*newer, "--from", "maker", timeout=900).code == 0
    assert kit.run(*diff).code == 0
    print(f"the difference: {(kit.folder / 'update.tar').stat().st_size} bytes")
    assert 5e6 < (kit.folder / "update.tar").stat().st_size < 1.05 * 5e6
    ran = kit.run("bootstrap", "--bundle", "update.tar", "--host", "ci1", "--json")
    assert ran.titles == ["load the job image web from the bundle"], ran.err
    assert kit.job("ls -l /code", tags=["page"])["state"] == "success"

    registry = "docker run -d --network host -e REGISTRY_HTTP_ADDR=127.0.0.1:5050 registry:2"
    kit.ssh(maker, registry)
    *words, _ = push
    ran = kit.run(*words, "127.0.0.1:5050", "--from", "maker")
    assert ran.code == 0, ran.err
    helper = next(line for line in ran.out.splitlines() if "helper" in line)
    assert helper.startswith("127.0.0.1:5050/registry.gitlab.com/gitlab-org/")
    kit.ssh(maker, f"docker pull -q {helper} && docker pull -q 127.0.0.1:5050/web:latest")
