"""Images by the prefix of a mirror, and pinned by a digest: real engines, old and new, in either store."""

from collections.abc import Iterator
from typing import Any
from urllib.request import Request

import pytest

from sandbox.manager import ARCHITECTURE
from sandbox.services.containers import DIRECT
from sandbox.services.mirror import KINDS
from sandbox.world import BlankHost, World
from tests.hosts import engines
from tests.hosts.kit import Kit, Ran
from tests.hosts.sick import Answer, server

ENGINES: dict[str, tuple[str, bool | None]] = {
    "20.10": ("docker", None),
    "28.5": ("sid", False),
    "28.5, containerd's store": ("sid", True),
}
LONG = [pytest.param(name, marks=pytest.mark.long) for name in ENGINES if name != "20.10"]
FAR = "registry.invalid"  # whose images only the mirror has
NAME = "library/debian"
CLEAN = """docker rm -fv $(docker ps -aq) >/dev/null 2>&1; docker system prune -af >/dev/null
rm -rf /srv/gitlab-runner /var/lib/runnerkit"""


@pytest.fixture(scope="module", params=["20.10", *LONG])
def host(request: pytest.FixtureRequest, world: World) -> Iterator[tuple[BlankHost, bool | None]]:
    kind, containerd = ENGINES[request.param]
    yield engines.host(world, "prefix", kind), containerd
    world.remove("prefix")


def served(kit: Kit, host: tuple[BlankHost, bool | None], mirror: str) -> None:
    """Have its engine ask that mirror, and take the sandbox's for a registry too."""
    options = {"insecure-registries": [place(kit.world)], "registry-mirrors": [mirror]}
    engines.engine(kit, host[0], host[1], **options)


def built(kit: Kit, host: tuple[BlankHost, bool | None], base: str, **docker: Any) -> Ran:
    """A job image on that base."""
    kit.settings(host[0], docker=docker, images={"tester": {"base": base}})
    return kit.run("image.build", "tester", "--host", "prefix", "--json")


def place(world: World) -> str:
    return world.mirror_url.removeprefix("http://")


def manifest(world: World, name: str) -> tuple[str, str, bytes]:
    """The digest, the kind and the text of what the mirror has."""
    repository, _, tag = name.rpartition(":")
    url = f"{world.mirror_url}/v2/{repository}/manifests/{tag}"
    with DIRECT.open(Request(url, headers={"Accept": ", ".join(KINDS)}), timeout=5) as answer:
        heads = answer.headers
        return heads["Docker-Content-Digest"], heads["Content-Type"], answer.read()


def test_a_base_comes_by_the_prefix_of_its_registry_s_mirror_and_keeps_its_own_name(
    kit: Kit, host: tuple[BlankHost, bool | None]
) -> None:
    served(kit, host, kit.world.mirror_url)
    base = f"{FAR}/{NAME}:bookworm"
    refused = built(kit, host, base)
    assert (refused.code, base in refused.err) == (1, True)
    ran = built(kit, host, base, prefix_mirrors={FAR: place(kit.world)})
    assert ran.code == 0, ran.out + ran.err
    assert kit.ssh(host[0], f"docker image inspect -f '{{{{.Os}}}}' {base}").strip() == "linux"
    kit.ssh(host[0], f"docker rmi -f {base} tester")


def test_a_pinned_base_is_that_digest_or_nothing_whoever_serves_it(
    kit: Kit, host: tuple[BlankHost, bool | None]
) -> None:
    """Another image with that tag does not do; a mirror that serves something else is no help either."""
    right, _, _ = manifest(kit.world, "library/registry:2")
    wrong, kind, text = manifest(kit.world, f"{NAME}:bookworm")
    pinned = f"registry:2@{right}"
    served(kit, host, kit.world.mirror_url)
    kit.ssh(host[0], "docker pull -q debian:bookworm; docker tag debian:bookworm registry:2")

    def answer(path: str) -> Answer:
        if "/manifests/" not in path:
            return 200, {}, b"{}"
        return 200, {"Content-Type": kind, "Docker-Content-Digest": right}, text

    assert wrong != right
    with server(kit.world.net.address(1), answer) as lying:
        served(kit, host, lying)
        refused = built(kit, host, pinned)
    assert refused.code == 1
    (error,) = (one["error"] for one in refused.hosts.values())
    assert f"cannot pull {pinned}" in error
    assert lying in error
    served(kit, host, kit.world.mirror_url)
    ran = built(kit, host, pinned)
    assert ran.code == 0, ran.out + ran.err


@pytest.mark.long
@pytest.mark.parametrize("by_prefix", [False, True])
def test_a_host_is_set_up_from_pinned_images_alone(
    kit: Kit, host: tuple[BlankHost, bool | None], by_prefix: bool
) -> None:
    """The manager, its helper and what a runner names; also by the prefix of a mirror."""
    served(kit, host, kit.world.mirror_url)
    kit.ssh(host[0], CLEAN)
    helper = kit.world.runner_image.replace(
        "gitlab-runner:", f"gitlab-runner-helper:{ARCHITECTURE}-"
    )
    names = (kit.world.runner_image, helper, "debian:bookworm")
    paths = (name if "/" in name else f"library/{name}" for name in names)
    manager, near, image = (
        f"{name}@{manifest(kit.world, path)[0]}" for name, path in zip(names, paths, strict=True)
    )
    docker: dict[str, Any] = {"daemon": {"insecure-registries": [place(kit.world)]}}
    if by_prefix:
        docker["prefix_mirrors"] = {"docker.io": place(kit.world)}
    kit.new_token()
    runners = {"web": {"image": image}}
    kit.settings(
        host[0], docker=docker, manager={"image": manager, "helper_image": near}, runners=runners
    )
    kit.bootstrap()
    assert kit.plan().titles == []
    used = kit.ssh(host[0], "docker inspect -f '{{.Config.Image}}' gitlab-runner").strip()
    assert used == (f"{place(kit.world)}/{manager}" if by_prefix else manager)
    job = kit.job("true")
    assert job["state"] == "success", job["trace"]
