"""Docker comes from where it is on each distribution: by os-release files as they are published."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from runnerkit import converge
from runnerkit.errors import KitError
from runnerkit.facts import Facts, distributions, look, os_release, systems
from runnerkit.plan import Script
from runnerkit.steps.docker_engine import KEYS
from tests.unit.build import blank, want

# github.com/which-distro/os-release and chef/os_release; anolis, kylin,
# openeuler-22.03, rhcos, opensuse's Micro, MicroOS and Aeon, and sles-16-micro as people show
# theirs. Only the keys that matter.
FILES = Path(__file__).parent / "os_release"
# The package manager with the distribution's own packages, Docker's folder and release, and whether
# the script of get.docker.com serves it; "" and False for what is not.
WHERE = {
    "almalinux-9": ("dnf", "", "centos 9", False),
    "alpine-3.22": ("apk", "docker", "", False),
    "amazon-2": ("", "", "", False),
    "amazon-2023": ("dnf", "docker", "", False),
    "anolis-23": ("dnf", "", "", False),
    "anolis-8": ("dnf", "", "centos 8", False),
    "arch": ("pacman", "docker", "", False),
    "bazzite-40": ("", "", "", False),
    "bluefin-41": ("", "", "", False),
    "centos-stream-9": ("dnf", "", "centos 9", True),
    "debian-13": ("apt", "docker.io", "debian trixie", True),
    "debian-testing": ("apt", "docker.io", "debian trixie", True),
    "deepin-20.9": ("", "", "", False),
    "devuan-5": ("apt", "docker.io", "debian bookworm", False),
    "elementary-7": ("apt", "docker.io", "ubuntu jammy", True),
    "endless-5": ("", "", "", False),
    "eurolinux-9": ("dnf", "", "centos 9", False),
    "fedora-43": ("dnf", "moby-engine", "fedora 43", True),
    "fedora-budgie-atomic-40": ("", "", "", False),
    "fedora-coreos-40": ("", "", "", False),
    "fedora-iot-40": ("", "", "", False),
    "fedora-kinoite-40": ("", "", "", False),
    "fedora-sericea-38": ("", "", "", False),
    "fedora-silverblue-40": ("", "", "", False),
    "hce-2": ("", "", "", False),
    "kali-2025.4": ("apt", "docker.io", "debian bookworm", False),
    "kubuntu-24.04": ("apt", "docker.io", "ubuntu noble", True),
    "kylin-v10": ("", "", "", False),
    "linuxmint-22": ("apt", "docker.io", "ubuntu noble", True),
    "lmde-6": ("apt", "docker.io", "debian bookworm", True),
    "manjaro": ("pacman", "docker", "", False),
    "nobara-39": ("dnf", "moby-engine", "fedora 39", True),
    "openeuler-22.03": ("dnf", "", "", False),
    "openeuler-24.03": ("dnf", "moby-engine moby-client", "", False),
    "opensuse-aeon": ("", "", "", False),
    "opensuse-leap-16": ("zypper", "docker", "", False),
    "opensuse-leap-micro-6.0": ("", "", "", False),
    "opensuse-microos": ("", "", "", False),
    "opensuse-tumbleweed": ("zypper", "docker", "", False),
    "oracle-9": ("dnf", "", "centos 9", False),
    "parrot-5": ("apt", "docker.io", "", True),
    "pop-22.04": ("apt", "docker.io", "ubuntu jammy", True),
    "raspbian-12": ("apt", "docker.io", "raspbian bookworm", True),
    "rhcos-4.12": ("", "", "", False),
    "rhel-9": ("dnf", "", "rhel 9", True),
    "rocky-9": ("dnf", "", "centos 9", True),
    "sles-15": ("zypper", "docker", "", False),
    "sles-16-micro": ("", "", "", False),
    "steamos-3": ("", "", "", False),
    "suse-microos-5": ("", "", "", False),
    "ubuntu-25.10": ("apt", "docker.io", "ubuntu questing", True),
    "zorin-16": ("apt", "docker.io", "ubuntu focal", True),
}


def host(name: str) -> Facts:
    return blank(os=os_release.parse((FILES / name).read_text()))


def test_every_file_has_its_row() -> None:
    assert {path.name for path in FILES.iterdir()} == WHERE.keys()


@pytest.mark.parametrize("name", WHERE)
def test_docker_comes_from_where_it_is(name: str) -> None:
    os = host(name).os
    row = distributions.of(os)
    release = f"{row.folder} {row.release(os)}" if "docker-ce" in row.sources(os) else ""
    assert (row.manager, row.package, release, row.script) == WHERE[name]


@pytest.mark.parametrize("source", ["distro", "docker-ce", "script", "present"])
@pytest.mark.parametrize("name", WHERE)
def test_what_cannot_be_is_refused_with_what_can(name: str, source: str) -> None:
    """Advice that is followed is not refused in turn."""
    have = host(name)
    try:
        (install, *_) = converge.plan(want(docker={"source": source}), have)
    except KitError as error:
        assert have.os["PRETTY_NAME"] in error.what or source == "present"
        if other := re.search(r'source = "([\w-]+)"', error.fix):
            if other[1] != "present":
                assert converge.plan(want(docker={"source": other[1]}), have)
            else:
                assert distributions.of(have.os).sources(have.os) == []
    else:
        assert isinstance(install, Script)
        assert install.title.startswith(f"install Docker ({source}, ")


@pytest.mark.parametrize(
    ("name", "ostree", "fix"),
    [
        ("fedora-coreos-40", False, "rpm-ostree install moby-engine"),
        ("bluefin-41", False, "rpm-ostree install moby-engine"),
        ("rhcos-4.12", False, "rpm-ostree install moby-engine"),
        ("rhel-9", True, "put Docker into the image that it boots"),
        ("fedora-43", True, "rpm-ostree install moby-engine"),
        ("endless-5", True, "static binaries"),
        ("opensuse-aeon", False, "transactional-update pkg install docker"),
        ("opensuse-leap-micro-6.0", False, "transactional-update pkg install docker"),
        ("sles-16-micro", False, "transactional-update pkg install docker"),
        ("steamos-3", False, "static binaries"),
    ],
)
def test_a_system_that_comes_as_an_image_is_told_what_to_do(
    name: str, ostree: bool, fix: str
) -> None:
    with pytest.raises(KitError) as caught:
        converge.plan(want(), replace(host(name), ostree=ostree))
    assert fix in caught.value.fix


def test_docker_s_packages_are_of_the_release_that_docker_names() -> None:
    ce = want(docker={"source": "docker-ce", "package_mirror": "https://m/docker"})
    (install, *_) = converge.plan(ce, host("oracle-9"))
    assert isinstance(install, Script)
    for part in ("$1/linux/centos/$release/", "release=9", KEYS["dnf"]):
        assert part in install.text
    (install, *_) = converge.plan(ce, host("lmde-6"))
    assert isinstance(install, Script)
    for part in ("take https://m/docker", "release=bookworm", "/linux/debian $release stable"):
        assert part in install.text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ID=debian", "debian"),
        ('ID="debian"\r\n', "debian"),
        ("  ID='debian'  # ours", "debian"),
        ("\ufeffID=debian", "debian"),
        ('ID="deb\\"ian"', 'deb"ian'),
        ('ID="debian', "debian"),
        ("ID=Red Hat", "Red Hat"),
        ("ID=\x1b]0;x\x07debian", "]0;xdebian"),
        ("garbage\n=x\n#ID=no\n1ID=no\nID=debian", "debian"),
    ],
)
def test_an_os_release_is_read_as_a_shell_reads_it(text: str, value: str) -> None:
    assert os_release.parse(text)["ID"] == value


@pytest.mark.parametrize("text", ["", "\n", "Debian 12", "\x00\x01="])
def test_an_os_release_that_tells_nothing_is_the_reason(text: str) -> None:
    have = replace(blank(), os=os_release.parse(text))
    with pytest.raises(KitError, match="without a name in its os-release") as caught:
        converge.plan(want(), have)
    assert "put /etc/os-release back" in caught.value.fix


def test_the_file_that_the_look_sends_is_read() -> None:
    have = look.parse("kernel: Linux ci1 x86_64\nostree: yes\nos SUQ9ImFtem4i\nend: yes\n")
    assert (have.os, have.ostree) == ({"ID": "amzn"}, True)


@pytest.mark.parametrize(
    ("known", "version", "system", "image"),
    [
        ("debian", "12", "debian-12", "debian:12"),
        ("ubuntu", "24.04", "ubuntu-24.04", "ubuntu:24.04"),
        ("rocky", "9.4", "rocky-9", "rockylinux/rockylinux:9"),
        ("almalinux", "10.1", "almalinux-10", "almalinux:10"),
        ("ol", "8.10", "ol-8", "oraclelinux:8"),
        ("rhel", "9.6", "rhel-9", "registry.access.redhat.com/ubi9"),
        ("amzn", "2023", "amzn-2023", "amazonlinux:2023"),
    ],
)
def test_a_system_of_a_bundle_has_a_name_and_a_container_image(
    known: str, version: str, system: str, image: str
) -> None:
    assert systems.of({"ID": known, "VERSION_ID": version}) == system
    assert systems.image(system) == image
