"""Docker from each of its sources, from a mirror of them."""

import hashlib
import urllib.request
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


def vouched(site: str) -> dict[str, str]:
    """What the settings say of a mirror that signs by itself."""
    with urllib.request.urlopen(f"{site}/get-docker.sh") as script:
        checksum = hashlib.sha256(script.read()).hexdigest()
    with urllib.request.urlopen(f"{site}/fingerprint") as key:
        return {"package_key": key.read().decode().strip(), "script_sha256": checksum}


@pytest.mark.parametrize("source", ["docker-ce", "script"])
def test_a_mirror_that_somebody_else_signs_installs_nothing(
    kit: Kit, blank: Blank, site: str, source: str
) -> None:
    """Its packages, its key and its script are all its own."""
    host = blank("systemd")
    wrong = {"script_sha256": "0" * 64} if source == "script" else {}
    kit.settings(host, docker={"source": source, "package_mirror": site, **wrong})
    kit.new_token()
    failed = kit.bootstrap(code=1).hosts[host.name]
    assert "package_key" in failed["fix"], failed
    assert kit.ssh(host, "command -v dockerd; ls /root/sent-to 2>/dev/null || :", check=False) == ""


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
    kit.settings(host, docker={"source": source, "package_mirror": site, **vouched(site)})
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
