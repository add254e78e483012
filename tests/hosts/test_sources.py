"""Docker from each of its sources, from a mirror of them."""

import hashlib
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.world import BlankHost, World
from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit


@pytest.fixture(scope="module")
def site(world: World) -> Iterator[str]:
    """The mirror's address by http; by https it is `secure`."""
    host = world.host("site")
    Kit(world, Path()).ssh(host, (Path(__file__).parent / "site.sh").read_text())
    yield f"http://{host.address}:8000"
    world.remove("site")


def secure(kit: Kit, host: BlankHost, site: str) -> str:
    """The same mirror by https, of which the host trusts the certificate."""
    certificate = read(site, "site.crt")
    kit.ssh(host, f"""echo '{certificate}' >/usr/local/share/ca-certificates/site.crt
        update-ca-certificates >/dev/null 2>&1""")  # fmt: skip
    return site.replace("http:", "https:").replace(":8000", ":8443")


def read(site: str, name: str) -> str:
    with urllib.request.urlopen(f"{site}/{name}") as answer:
        return str(answer.read().decode())


def of_mirror(kit: Kit, host: BlankHost, site: str, source: str) -> dict[str, str]:
    """Settings of a mirror that signs by itself: lists that are signed also by http."""
    checksum = hashlib.sha256(read(site, "get-docker.sh").encode()).hexdigest()
    mirror = site if source == "docker-ce" else secure(kit, host, site)
    vouched = {"package_key": read(site, "fingerprint").strip(), "script_sha256": checksum}
    return {"source": source, "package_mirror": mirror, **vouched}


@pytest.mark.parametrize(
    ("source", "wrong"),
    [("docker-ce", {"package_key": ""}), ("script", {"script_sha256": "0" * 64})],
)
def test_a_mirror_that_nobody_vouches_for_installs_nothing(
    kit: Kit, blank: Blank, site: str, source: str, wrong: dict[str, str]
) -> None:
    """Its packages, its key and its script are all its own."""
    host = blank("systemd")
    kit.settings(host, docker={**of_mirror(kit, host, site, source), **wrong})
    kit.new_token()
    failed = kit.bootstrap(code=1).hosts[host.name]
    assert "package_key" in failed["fix"], failed
    assert kit.ssh(host, "command -v dockerd; ls /root/sent-to 2>/dev/null || :", check=False) == ""


@pytest.mark.parametrize(
    ("source", "proof"),
    [
        ("docker-ce", "dpkg -s docker-ce docker-buildx-plugin >/dev/null"),
        pytest.param("script", "grep -qx $SITE /root/sent-to", marks=pytest.mark.long),
    ],
)
def test_docker_comes_from_the_mirror_of_its_source(
    kit: Kit, blank: Blank, site: str, source: str, proof: str
) -> None:
    host = blank("systemd")
    mirror = of_mirror(kit, host, site, source)
    kit.settings(host, docker=mirror)
    kit.new_token()
    done = kit.bootstrap()
    assert any(title.startswith(f"install Docker ({source}") for title in done.titles)
    kit.ssh(host, f"SITE={mirror['package_mirror']}; {proof}")
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
