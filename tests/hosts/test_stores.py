"""The image store of a running engine: where its disk is, and another in its place."""

from collections.abc import Iterator

import pytest

from runnerkit import resolve
from runnerkit.actions import prune
from runnerkit.settings.load import load
from sandbox.world import BlankHost, World
from tests.hosts.engines import engine
from tests.hosts.engines import host as blank_of
from tests.hosts.kit import Kit
from tests.hosts.shipping import BUILD, NEW, OLD, refused

pytestmark = pytest.mark.long  # hosts of sid are made for it
# containerd as its own service, with its folder on a disk of its own.
APART = """mkdir -p /srv/images
mount -t tmpfs -o size=400m,nr_inodes=4000 tmpfs /srv/images
sed -i '1a root = "/srv/images"' /etc/containerd/config.toml
containerd >/var/log/containerd.log 2>&1 </dev/null &
until ctr version >/dev/null 2>&1; do sleep 0.1; done"""
DISK = "/srv/images"


@pytest.fixture(scope="module")
def host(world: World) -> Iterator[BlankHost]:
    yield blank_of(world, "stores", "sid")
    world.remove("stores")


@pytest.fixture(scope="module")
def apart(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlankHost]:
    result = blank_of(world, "apart", "sid")
    kit = Kit(world, tmp_path_factory.mktemp("apart"))
    kit.ssh(result, APART)
    yield engine(kit, result, True)
    world.remove("apart")


def script(kit: Kit, host: BlankHost, **options: object) -> str:
    kit.settings(host, prune={"keep": 0, **options})
    read = load(kit.folder / "runnerkit.toml")
    return prune.script(resolve.of_images(read, ""))


def test_room_is_looked_for_where_the_store_is(kit: Kit, apart: BlankHost, world: World) -> None:
    kit.new_token()
    kit.settings(apart, docker={"min_free_mb": 1000})
    ran = kit.run("plan", "--host", apart.name)
    assert "the disk is too full for the images: 3" in ran.err
    assert f" MB free in {DISK}" in ran.err
    kit.settings(apart, docker={"min_free_mb": 300})
    assert "inodes free, 4800 needed" in kit.run("plan", "--host", apart.name).err
    source = engine(kit, world.host("apart2", "docker"))
    kit.ssh(source, BUILD.format(OLD, "scratch", 20))
    error = refused(kit, source, apart, free=370)
    world.remove("apart2")
    assert f" MB free in {DISK}" in error.what
    assert f"{OLD} takes 38 MB more" in error.what  # as it came, and unpacked


def test_prune_counts_the_stores_disk_by_bytes_and_by_inodes(kit: Kit, apart: BlankHost) -> None:
    kit.ssh(apart, BUILD.format(NEW, "scratch", 50))
    nothing = kit.ssh(apart, script(kit, apart, high=80, low=70))
    assert "nothing to do" in nothing
    kit.ssh(apart, "fallocate -l 230m /srv/images/filler")
    full = prune.parse(kit.ssh(apart, script(kit, apart, high=80, low=70)))
    kit.ssh(apart, "rm /srv/images/filler; seq 3700 | (cd /srv/images && xargs touch)")
    files = prune.parse(kit.ssh(apart, script(kit, apart, high=80, low=70)))
    kit.ssh(apart, "seq 3700 | (cd /srv/images && xargs rm)")
    assert full.before > 80
    assert files.before > 90


def test_another_store_is_a_restart_and_all_images_come_anew(kit: Kit, host: BlankHost) -> None:
    kit.new_token()
    engine(kit, host, False)
    for wanted, driver in ((True, "overlayfs"), (False, "overlay2")):
        features = {"daemon": {"features": {"containerd-snapshotter": wanted}}}
        kit.settings(host, docker={"min_free_mb": 0, **features})
        titles = kit.plan().titles
        assert any("another image store, which has none of the images" in one for one in titles)
        kit.bootstrap()
        assert kit.ssh(host, "docker info -f '{{.Driver}}'") == f"{driver}\n"
        assert kit.plan().titles == []


def test_a_flag_of_dockerds_that_the_file_would_name_again_is_told_first(
    kit: Kit, host: BlankHost
) -> None:
    kit.new_token()
    flag = f"--registry-mirror={kit.world.mirror_url}"
    kit.ssh(host, f"""rm -rf /etc/docker; mkdir /etc/docker; echo 'DOCKER_OPTS="{flag}"' >/etc/default/docker
        service docker stop; service docker start""")  # fmt: skip
    kit.settings(host, docker={"registry_mirrors": ["http://other.invalid"]})
    ran = kit.run("bootstrap", "--host", host.name)
    assert ran.code == 1
    assert "started with a flag for registry-mirrors" in ran.err
    assert kit.ssh(host, "ls /etc/docker; docker info -f '{{.ServerVersion}}'").startswith("28.")
    kit.ssh(host, "rm /etc/default/docker")


def test_a_runner_too_old_for_the_engine_is_refused(kit: Kit, host: BlankHost) -> None:
    kit.new_token()
    kit.ssh(host, "echo export DOCKER_MIN_API_VERSION=1.44 >/etc/default/docker")  # as 29.0 has it
    engine(kit, host, True)
    kit.settings(host, manager={"image": "gitlab/gitlab-runner:v17.4.0"})
    ran = kit.run("bootstrap", "--host", host.name)
    assert ran.code == 1
    assert "gitlab-runner 17.4 speaks Docker's API up to 1.43" in ran.err
    assert "v17.5 or newer" in ran.err
