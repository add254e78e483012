"""A bundle for a system of dnf. No image of one can be had here: it is a Debian with the real dnf and rpm,
whose os-release says Rocky Linux, and packages of a site of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runnerkit.bundle import reading
from sandbox.world import BlankHost, World
from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit
from tests.hosts.test_bundle import BASES, cut_off

pytestmark = pytest.mark.long
ROCKY = """rm -f /etc/dnf/plugins/local.conf /etc/os-release
printf 'ID=rocky\\nVERSION_ID=9.4\\nPRETTY_NAME="Rocky Linux 9.4"\\nPLATFORM_ID=platform:el9\\n' >/etc/os-release
"""
# What docker-ce's files, which are Debian's, need there besides.
DNF = """export DEBIAN_FRONTEND=noninteractive
apt-get update -q >/dev/null 2>&1
apt-get install -y -q --no-install-recommends dnf rpm iptables libdevmapper1.02.1 >/dev/null 2>&1
"""
IMAGE = f"""FROM debian:bookworm
RUN {DNF.replace(chr(10), " && ").removesuffix(" && ")} && \\
    apt-get install -y -q --no-install-recommends ca-certificates createrepo-c curl gnupg >/dev/null 2>&1
RUN {ROCKY.strip().replace(chr(10), " && ")} && \\
    mkdir -p /etc/yum.repos.d /etc/pki/rpm-gpg /etc/pki/ca-trust/source/anchors && \\
    printf '%s\\n' '#!/bin/sh' 'cp /etc/pki/ca-trust/source/anchors/* /usr/local/share/ca-certificates/' \\
    update-ca-certificates >/usr/bin/update-ca-trust && chmod +x /usr/bin/update-ca-trust && \\
    printf '%s\\n' '[base]' name=base baseurl=SITE/base gpgcheck=1 gpgkey=SITE/base/gpg sslverify=0 \\
    >/etc/yum.repos.d/base.repo
"""


@pytest.fixture(scope="module")
def site(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlankHost]:
    """The host that serves the packages."""
    host = world.host("rpms")
    script = (Path(__file__).parent / "rpm_site.sh").read_text()
    Kit(world, tmp_path_factory.mktemp("rpms")).ssh(host, script)
    yield host
    world.remove("rpms")


def test_a_host_of_dnf_is_set_up_from_a_bundle_alone(
    kit: Kit, blank: Blank, site: BlankHost
) -> None:
    maker, host = blank("docker", "maker"), blank("systemd")
    kit.mirrored(maker)
    url = f"https://{site.address}:8443"
    kit.ssh(maker, f"docker build -q -t el:9 - <<'FILE'\n{IMAGE.replace('SITE', url)}\nFILE")
    (kit.folder / "ca.pem").write_text(kit.ssh(site, "cat /site/site.crt"))
    key = kit.ssh(site, "cat /site/fingerprint").strip()
    docker = {"source": "docker-ce", "package_mirror": url, "package_key": key}
    elsewhere = {**docker, "registry_mirrors": [], "min_free_mb": 100}
    network = {"ca_file": str(kit.folder / "ca.pem")}
    bundle = {"bases": {**BASES, "rocky-9": "el:9"}}
    kit.settings(maker, docker=elsewhere, bundle=bundle, network=network)
    words = ("--for", "rocky-9", "--from", "maker")
    made = kit.run("bundle.make", "el.tar", *words, timeout=900)
    assert made.code == 0, made.err
    (packages,) = reading.opened(kit.folder / "el.tar").contents.packages
    assert {name.rpartition("-27")[0] for name in packages.files} == {
        *("bash", "container-selinux", "containerd.io", "docker-buildx-plugin"),
        *("docker-ce", "docker-ce-cli"),
    }

    kit.ssh(host, DNF + ROCKY)
    kit.settings(host, docker=elsewhere)
    cut_off(kit, host)
    kit.new_token(tag_list="el")
    done = kit.bootstrap("all", 0, "--bundle", str(kit.folder / "el.tar"))
    assert done.titles[0] == "install Docker (the bundle's, Rocky Linux 9.4)"
    there = kit.ssh(host, "rpm -qa --qf '%{NAME}\\n'; ls /etc/yum.repos.d 2>/dev/null || :").split()
    assert {*there} == {name.rpartition("-27")[0] for name in packages.files}
    assert kit.job("echo it runs", image="tester", tags=["el"])["state"] == "success"
    assert kit.plan().code == 0

    kit.ssh(site, """cd /site/linux/centos/9/x86_64/stable
        rpmsign --delsign containerd.io-*.rpm >/dev/null 2>&1
        createrepo_c -q .""")  # fmt: skip
    kit.settings(maker, docker=elsewhere, bundle=bundle, network=network)
    failed = kit.run("bundle.make", "el.tar", *words, timeout=900)
    assert failed.code == 1
    assert "containerd.io-27.0-1.el9.x86_64.rpm is not signed" in failed.err
