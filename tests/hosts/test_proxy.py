"""Hosts that reach nothing but a proxy, with a CA of our own: set up to a job that runs, by settings alone."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from sandbox import daemon
from sandbox.world import BlankHost, World
from tests.hosts import engines
from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit

pytestmark = pytest.mark.long
SENTINEL = "sentinel-of-a-proxy-4b7"
GITLAB, MIRROR = "gitlab.internal", "mirror.internal"
# GitLab and the mirror as their names say, with TLS, for who asks the proxy: on its loopback alone.
PROXY = """set -e
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends tinyproxy stunnel4 openssl >/dev/null 2>&1
echo '127.0.0.1 {names}' >>/etc/hosts
cd /etc/stunnel
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=ours' \
  -addext 'subjectAltName=DNS:{gitlab},DNS:{mirror},IP:{address}' -keyout key.pem -out ca.pem 2>/dev/null
cat >ours.conf <<'END'
cert = /etc/stunnel/ca.pem
key = /etc/stunnel/key.pem
pid = /run/stunnel.pid
[gitlab]
accept = 127.0.0.1:8443
connect = {gitlab_at}
[mirror]
accept = 127.0.0.1:5443
connect = {mirror_at}
[proxy]
accept = 8889
connect = 127.0.0.1:8888
END
stunnel ours.conf
install -d -o tinyproxy /var/log/tinyproxy
cat >/etc/tinyproxy/tinyproxy.conf <<'END'
User tinyproxy
Group tinyproxy
Port 8888
Timeout 600
MaxClients 100
LogFile "/var/log/tinyproxy/tinyproxy.log"
LogLevel Connect
BasicAuth ci {password}
END
systemctl restart tinyproxy
cat ca.pem
"""


@dataclass(frozen=True)
class Outlet:
    """A forwarding proxy that wants a login, itself asked by HTTP or TLS, and the certificate of all."""

    host: BlankHost
    ca: str
    scheme: str = "http"

    @property
    def place(self) -> str:
        return f"{self.host.address}:{8888 if self.scheme == 'http' else 8889}"

    def settings(self, kit: Kit, *hosts: BlankHost, **more: Any) -> None:
        """Settings by which hosts go through it."""
        (kit.folder / "ca.pem").write_text(self.ca)
        kit.env["PROXY_PASSWORD"] = SENTINEL
        network: dict[str, object] = {
            "proxy": f"{self.scheme}://ci@{self.place}",
            "proxy_password": {"env": "PROXY_PASSWORD"},
            "ca_file": str(kit.folder / "ca.pem"),
        }
        more["docker"] = {"registry_mirrors": [f"https://{MIRROR}:5443"], **more.get("docker", {})}
        kit.settings(*hosts, gitlab={"url": f"https://{GITLAB}:8443"}, network=network, **more)

    def log(self, kit: Kit) -> str:
        """Where it was asked to connect to."""
        return kit.ssh(self.host, "cat /var/log/tinyproxy/tinyproxy.log")


@pytest.fixture(scope="module")
def outlet(world: World) -> Iterator[Outlet]:
    """The real tinyproxy, on a host of its own."""
    host = world.host("outlet")
    text = PROXY.format(
        names=f"{GITLAB} {MIRROR}", gitlab=GITLAB, mirror=MIRROR, password=SENTINEL,
        address=host.address,
        gitlab_at=f"{world.net.gitlab}:8080", mirror_at=f"{world.net.mirror}:5000",
    )  # fmt: skip
    yield Outlet(host, Kit(world, Path()).ssh(host, text))
    world.remove(host.name)


def cut_off(kit: Kit, host: BlankHost) -> BlankHost:
    """Leave a host no way out, no name server, and none to the sandbox's own services: what is left on
    its wire are we and the proxy. By this machine's `ip`, as a blank host has none."""
    if not shutil.which("ip"):
        pytest.skip("no ip here (package iproute2)")
    names, net = kit.world.names, kit.world.net
    container = daemon.running().containers.get(names.container(f"host-{host.name}"))
    enter = ["nsenter", "-t", str(container.attrs["State"]["Pid"]), "-n", "ip", "route"]
    subprocess.run([*enter, "del", "default"], check=True)
    for address in (net.gitlab, net.mirror):
        subprocess.run([*enter, "add", "prohibit", f"{address}/32"], check=True)
    return host


def runs_a_job(kit: Kit, outlet: Outlet) -> None:
    """Bootstrap ends in a job that ran; nothing is left to do; nobody has seen the password."""
    kit.new_token()
    ran = kit.bootstrap()
    kit.settled()
    job = kit.job("echo $HTTPS_PROXY | sed s,.*@,by:,")
    assert job["status"] == "success", job
    assert f"by:{outlet.place}" in job["trace"]
    plan = kit.plan()
    assert (plan.code, plan.titles) == (0, [])
    assert "sentinel" not in ran.out + ran.err + plan.out + plan.err
    log = outlet.log(kit)
    assert f"{GITLAB}:8443" in log
    assert f"{MIRROR}:5443" in log


def test_a_host_with_docker_and_no_way_out_but_the_proxy_runs_a_job(
    kit: Kit, blank: Blank, outlet: Outlet
) -> None:
    host = cut_off(kit, blank("docker"))
    outlet.settings(kit, host)
    runs_a_job(kit, outlet)
    readable = "find /etc /srv /var/lib/runnerkit /usr/local -type f -perm /044"
    assert kit.ssh(host, f"{readable} -exec grep -l sentinel {{}} + || true") == ""
    assert "sentinel" not in kit.ssh(
        host, "systemctl show docker; docker info; cat /proc/*/cmdline"
    )


@pytest.mark.parametrize("kind", ["systemd", "plain", "trixie", "sid", "docker29"])
def test_so_does_a_blank_one_and_one_with_another_engine(
    kit: Kit, world: World, outlet: Outlet, kind: str
) -> None:
    host = cut_off(kit, engines.host(world, f"proxied-{kind}", kind))
    try:
        job: dict[str, object] = {"tester": {"base": "debian:bookworm", "packages": ["make"]}}
        outlet.settings(kit, host, images=job)
        runs_a_job(kit, outlet)
        assert "deb.debian.org" in outlet.log(kit)
        kit.settings(host)  # none of it is wanted any longer
        titles = kit.plan().titles
        assert any("restart docker" in one for one in titles)
        assert any("95runnerkit-proxy" in one for one in titles)
    finally:
        world.remove(host.name)


@pytest.mark.parametrize("kind", ["docker", "docker29"])
def test_so_does_one_whose_proxy_is_itself_asked_by_tls(
    kit: Kit, world: World, outlet: Outlet, kind: str
) -> None:
    """And what doctor asks of registries and GitLab goes there too."""
    host = cut_off(kit, engines.host(world, f"by-tls-{kind}", kind))
    by_tls = replace(outlet, scheme="https")
    try:
        by_tls.settings(kit, host)
        runs_a_job(kit, by_tls)
        ran = kit.run("doctor", "--host", host.name, "--no-rehearsal", "--json")
        marks = {one["title"]: one["mark"] for one in ran.hosts[host.name]["checks"]}
        assert marks["GitLab's name, certificate, answer and clock"] == "ok", ran.out
        assert marks["each registry serves the images"] == "ok", ran.out
    finally:
        world.remove(host.name)
