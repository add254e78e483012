"""Docker itself upgraded while jobs run: real packages, by the host's own apt."""

import pytest

from sandbox.world import BlankHost
from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit, Ran
from tests.hosts.test_drain import INSIDE, long_job
from tests.hosts.test_runner_drain import drain, manager, ready
from tests.pages import commands

# Long, as Docker's own package is built anew, with a later version.
pytestmark = [pytest.mark.long, pytest.mark.usefixtures("counted")]
HERE = "tests/hosts/test_engine_upgrade.py"
PAGE = f"{HERE}::test_a_job_lives_through_an_upgrade_of_docker_which_is_held_then"
LATER = "20.10.24+dfsg1-2"
REPOSITORY = f"""set -e
mkdir -p /opt/repo
cd /opt/repo
apt-get -qq update
apt-get -qq download docker.io 2>/dev/null
dpkg-deb -R docker.io_*.deb tree
rm docker.io_*.deb
sed -i 's/^Version: .*/Version: {LATER}/' tree/DEBIAN/control
dpkg-deb -b -Zgzip -z1 tree docker.io.deb >/dev/null
{{ cat tree/DEBIAN/control; echo Filename: ./docker.io.deb; echo Size: $(stat -c %s docker.io.deb)
  echo SHA256: $(sha256sum docker.io.deb | cut -d' ' -f1); }} >Packages
rm -r tree
echo 'deb [trusted=yes] file:/opt/repo ./' >/etc/apt/sources.list.d/later.list
"""
INSTALLED = "dpkg-query -W -f '${Status} ${Version}' docker.io"


def upgrade(kit: Kit, *words: str, code: int = 0) -> Ran:
    ran = kit.run("engine.upgrade", "--host", "all", "--json", *words)
    assert ran.code == code, ran.out + ran.err
    return ran


def later(kit: Kit, host: BlankHost) -> str:
    """Give a host's package sources a later Docker; the version that it has."""
    ready(kit, host)
    before = kit.ssh(host, INSTALLED).split()[-1]
    kit.ssh(host, REPOSITORY)
    return before


def test_a_job_lives_through_an_upgrade_of_docker_which_is_held_then(
    kit: Kit, blank: Blank
) -> None:
    host = blank("docker", "ci1")
    before = later(kit, host)
    number, _ = long_job(kit, host)
    (title,) = upgrade(kit, "--dry-run", code=2).titles
    assert title == f"bring Docker (docker.io) from {before} to {LATER}, after 1 job"
    kit.ssh(host, f"(sleep 5; docker exec $({INSIDE}) touch /end) >/dev/null 2>&1 &")
    (line,) = commands(PAGE)
    ran = kit.run(*line.split()[1:])
    assert ran.code == 0, ran.out + ran.err
    assert kit.gitlab.job(number)["state"] == "success"
    assert kit.ssh(host, INSTALLED) == f"hold ok installed {LATER}"
    assert kit.ssh(host, "apt-mark showhold").split() == ["containerd", "docker.io"]
    assert manager(kit, host) == (True, "always")
    assert kit.job("echo after")["state"] == "success"
    assert upgrade(kit).titles == []
    assert kit.plan().titles == []

    drain(kit)
    (title, *_) = upgrade(kit, "--to", before).titles
    assert title == f"bring Docker (docker.io) from {LATER} to {before}"
    assert manager(kit, host) == (False, "no")
    refused = upgrade(kit, "--to", "19.03", code=1).hosts["ci1"]["error"]
    assert refused == "the host's package sources have no docker.io of version 19.03"


def test_an_upgrade_that_was_cut_off_is_completed_by_the_next(kit: Kit, blank: Blank) -> None:
    """Packages half unpacked, and a manager that has ended for them."""
    host = blank("docker", "engine2")
    later(kit, host)
    kit.ssh(host, """set -e
        docker update --restart=no gitlab-runner >/dev/null
        kill -QUIT $(docker inspect -f '{{.State.Pid}}' gitlab-runner)
        docker wait gitlab-runner >/dev/null
        dpkg --unpack /opt/repo/docker.io.deb >/dev/null""")  # fmt: skip
    titles = upgrade(kit).titles
    assert titles[0] == "complete the packages that were cut off"
    assert kit.ssh(host, INSTALLED) == f"hold ok installed {LATER}"
    assert manager(kit, host)[0] is True
    assert kit.job("echo after")["state"] == "success"


def test_a_docker_that_is_of_no_package_is_left_alone(kit: Kit, blank: Blank) -> None:
    host = blank("docker", "engine3")
    ready(kit, host)
    kit.ssh(host, "mv /usr/sbin/dockerd /usr/local/bin/dockerd")
    ran = upgrade(kit, code=1)
    assert "of no package" in ran.hosts["engine3"]["error"]
