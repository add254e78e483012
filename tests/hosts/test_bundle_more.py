"""An autoscaler's plugins and the image of a site's cache, on a host that reaches nothing."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
import requests

from runnerkit.bundle import reading
from runnerkit.bundle.reading import Bundle
from runnerkit.images.reference import tagged
from runnerkit.steps import fleeting, image_pulls
from runnerkit.want import Want
from sandbox.world import BlankHost, World
from tests.hosts.conftest import Blank
from tests.hosts.golden import Golden
from tests.hosts.kit import Kit
from tests.hosts.plugins import publish
from tests.hosts.test_autoscaler import FETCHER, GROUP, PLACE, build
from tests.hosts.test_bundle import bootstrapped, cut_off, make, settings, way
from tests.hosts.test_site_cache import PORT

pytestmark = pytest.mark.long  # whole bundles


@pytest.fixture(scope="module")
def maker(world: World) -> Iterator[BlankHost]:
    """A host that reaches things."""
    yield world.host("maker", "docker")
    world.remove("maker")


def scaling(kit: Kit, host: BlankHost, plugin: str = "aws:1", image: str = FETCHER) -> None:
    """Settings for a runner that scales; its manager can fetch plugins."""
    name, _, version = kit.world.runner_image.rpartition(":")
    manager = {"image": image, "helper_image": f"{name}-helper:x86_64-{version}"}
    runner = {"executor": "docker-autoscaler", "autoscaler": {**GROUP, "plugin": plugin}}
    runners = {"web": {**runner, "image": "debian:bookworm"}}
    settings(kit, host, manager=manager, runners=runners)


def test_a_plugin_of_the_bundle_is_there_and_none_is_fetched(
    kit: Kit, blank: Blank, maker: BlankHost
) -> None:
    if not kit.world.stand_in:
        pytest.skip("it would fetch it from registry.gitlab.com")
    kit.mirrored(maker)
    build(kit, maker, "any")
    scaling(kit, maker)
    made = make(kit, "bundle.tar", "debian-12")
    assert "'aws:1 1.0.1'" in str(made["rows"])
    assert kit.ssh(maker, "docker ps -aq") == ""
    host, file = blank("docker"), kit.folder / "bundle.tar"
    scaling(kit, host)
    cut_off(kit, host)
    kit.new_token()
    titles = bootstrapped(kit, file).titles
    assert "install the fleeting plugin aws:1 from the bundle" in titles
    assert kit.ssh(host, f"cat {PLACE}/1.0.1/plugin") == "made\n"
    looked = (
        "docker exec gitlab-runner sh -c 'test -x $FLEETING_PLUGIN_PATH/*/*/*/*/*/1.0.1/plugin'"
    )
    kit.ssh(host, looked)
    assert kit.plan().titles == []
    assert kit.run("plan", "--host", "all", "--bundle", str(file)).code == 0

    contents = reading.opened(file)
    member = next(iter(contents.contents.plugins[0].files.values()))
    start = contents._places()[member][0]
    with file.open("r+b") as opened:
        opened.seek(start)
        opened.write(b"M")
    ran = kit.run("bootstrap", "--host", "all", "--bundle", str(file))
    assert ran.code == 1
    assert f"{member} is not what the list says" in ran.err


@dataclass
class Bundled(Golden):
    """A host that is set up from a bundle."""

    bundle: Bundle

    @property
    def want(self) -> Want:
        return replace(super().want, bundle=self.bundle)


def test_the_official_program_itself_fetches_it_for_the_bundle(
    kit: Kit, blank: Blank, maker: BlankHost
) -> None:
    """Without its executors, which not every build has."""
    kit.mirrored(maker)
    asks = f"docker run --rm --entrypoint gitlab-runner {kit.world.runner_image} --help"
    if "fleeting" not in kit.ssh(maker, asks):
        pytest.skip("this program cannot fetch plugins; 16.11 and later can")
    kit.ssh(maker, "docker run -d --name registry -p 80:5000 registry:2")
    name = f"{maker.address}/plugins/static"
    for version in ("1.0.0", "1.0.1"):
        publish(f"http://{maker.address}", "plugins/static", version, version.encode())
    scaling(kit, maker, plugin=f"{name}:1", image=kit.world.runner_image)
    made = make(kit, "bundle.tar", "debian-12")
    kit.ssh(maker, "docker rm -fv registry")
    assert f"{name}:1 1.0.1" in str(made["rows"])
    host = blank("docker")
    scaling(kit, host, plugin=f"{name}:1", image=kit.world.runner_image)
    kit.new_token()
    cut_off(kit, host)
    golden = Bundled(kit, host, reading.opened(kit.folder / "bundle.tar"))
    titles = golden.bake((image_pulls, fleeting))
    assert titles[-1] == f"install the fleeting plugin {name}:1 from the bundle"
    listing = f"""docker run --rm -v /srv/gitlab-runner/config:/etc/gitlab-runner \\
  -e FLEETING_PLUGIN_PATH=/etc/gitlab-runner/fleeting --entrypoint sh {kit.world.runner_image} -c '
    printf "[[runners]]\\nexecutor = \\"instance\\"\\n[runners.autoscaler]\\nplugin = \\"{name}:1\\"\\n" >/tmp/c
    gitlab-runner fleeting --config /tmp/c list'"""
    assert f"fleeting/{name}/1.0.1/plugin" in kit.ssh(host, listing)
    assert golden.bake((image_pulls, fleeting)) == []


def test_a_cache_runs_from_the_bundle_though_its_image_is_pinned(
    kit: Kit, blank: Blank, maker: BlankHost
) -> None:
    kit.mirrored(maker)
    asks = (
        "docker pull -q registry:2 >&2; docker image inspect -f '{{json .RepoDigests}}' registry:2"
    )
    (known,) = json.loads(kit.ssh(maker, asks))
    kit.ssh(maker, "docker rmi registry:2 || :")
    pinned = f"registry:2@{known.partition('@')[2]}"
    host = blank("docker", "ci1")
    docker, cache = {"registry_image": pinned}, {"ci1": {"cache": True}}
    settings(kit, host, maker, docker=docker, hosts=cache)
    make(kit, "bundle.tar", "debian-12")
    cut_off(kit, host)
    kit.new_token()
    words = ("bootstrap", "--host", "ci1", "--bundle", "bundle.tar", "--json")
    failed = kit.run(*words)
    tag = f"registry:2-{pinned.partition('@')[2].replace(':', '-')}"
    assert f"load {tag} from the bundle" in failed.titles, failed.out
    assert "panic: Get" in failed.hosts["ci1"]["error"]
    assert "a cache asks its upstream when it starts" in failed.hosts["ci1"]["fix"]
    upstream = {"upstream": kit.world.mirror_url}
    settings(kit, host, maker, docker=docker, hosts=cache, cache=upstream)
    way(kit, host, "del", "blackhole", f"{kit.world.net.mirror}/32")
    ran = kit.run(*words)
    assert ran.code == 0, ran.err
    assert not [one for one in (*failed.titles, *ran.titles) if "pull" in one]
    answer = requests.get(f"https://{host.address}:{PORT}/v2/", verify=False, timeout=10)
    assert answer.status_code == 200
    assert kit.run("plan", "--host", "ci1", "--bundle", "bundle.tar").code == 0
    ran = kit.plan("ci1")
    assert ran.titles == [], ran.err


def test_pinned_images_come_from_the_bundle_and_run_a_job(
    kit: Kit, blank: Blank, maker: BlankHost
) -> None:
    kit.mirrored(maker)
    name, _, version = kit.world.runner_image.rpartition(":")
    images = (f"{name}:{version}", f"{name}-helper:x86_64-{version}", "debian:bookworm")
    for image in images:
        kit.ssh(maker, f"docker pull -q {image}")
    asks = f"docker image inspect -f '{{{{index .RepoDigests 0}}}}' {' '.join(images)}"
    digests = [one.partition("@")[2] for one in kit.ssh(maker, asks).split()]
    pins = [f"{image}@{one}" for image, one in zip(images, digests, strict=True)]
    settings(kit, maker, manager={"image": pins[0]})
    refused = kit.run("bundle.make", "no.tar", "--for", "debian-12", "--from", "maker")
    assert refused.code == 1
    assert f"pin it by its tag, which a bundle can bring: {tagged(pins[0])}" in refused.err
    manager = {"image": tagged(pins[0]), "helper_image": pins[1]}
    runners = {"web": {"image": tagged(pins[2])}}
    settings(kit, maker, manager=manager, runners=runners)
    make(kit, "bundle.tar", "debian-12")
    host = blank("docker")
    settings(kit, host, manager=manager, runners=runners)
    cut_off(kit, host)
    kit.new_token(tag_list="pinned")
    assert "pull" not in str(bootstrapped(kit, kit.folder / "bundle.tar").titles)
    job = kit.job("echo it runs", image=tagged(pins[2]), tags=["pinned"])
    assert job["state"] == "success", job["trace"]
    assert kit.plan().titles == []
