"""Docker from each of its sources, from a mirror of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.world import World
from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit


@pytest.fixture(scope="module")
def site(world: World) -> Iterator[str]:
    host = world.host("site")
    Kit(world, Path()).ssh(host, (Path(__file__).parent / "site.sh").read_text())
    yield f"http://{host.address}:8000"
    world.remove("site")


@pytest.mark.parametrize(
    ("source", "proof"),
    [
        ("docker-ce", "dpkg -s docker-ce docker-buildx-plugin >/dev/null"),
        ("script", "grep -qx $SITE /root/sent-to"),
    ],
)
def test_docker_comes_from_the_mirror_of_its_source(
    kit: Kit, blank: Blank, site: str, source: str, proof: str
) -> None:
    host = blank("systemd")
    kit.settings(host, docker={"source": source, "package_mirror": site})
    kit.new_token()
    done = kit.bootstrap()
    assert any(title.startswith(f"install Docker ({source}") for title in done.titles)
    kit.ssh(host, f"SITE={site}; {proof}")
    assert kit.plan().code == 0


def test_a_package_mirror_that_does_not_answer_changes_nothing(kit: Kit, blank: Blank) -> None:
    host = blank("systemd")
    nowhere = f"http://{kit.world.net.address(250)}:1"
    kit.settings(host, docker={"source": "docker-ce", "package_mirror": nowhere})
    kit.new_token()
    ran = kit.bootstrap(code=1)
    error = ran.hosts[host.name]["error"]
    assert f"package mirror {nowhere} does not answer the host" in error
    assert ran.titles == []
    assert kit.ssh(host, "ls /etc/docker 2>/dev/null || :") == ""
