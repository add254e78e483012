"""What installs Docker on each distribution: the one table of what differs between them.

Read in 2026 in os-release files as published (github.com/which-distro/os-release), in the script of
get.docker.com (github.com/docker/docker-install), and in what each row names.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

STATIC = (
    "install Docker on the host from its static binaries "
    '(docs.docker.com/engine/install/binaries), and set [docker] source = "present"'
)

NAMELESS = (
    "put /etc/os-release back (Debian: apt-get install --reinstall base-files), or install Docker on "
    'the host and set [docker] source = "present"'
)


@dataclass(frozen=True)
class Distribution:
    """Where Docker comes from on a distribution.

    Args:
        manager: its package manager.
        package: the packages of its own Docker; "" where it has none, or one too old for the runner.
        folder: of download.docker.com; "" where Docker has no packages for it.
        releases: what that folder calls a release, by codename or major version; others by their own.
        own_releases: whether a release that is not in `releases` is there by its own name.
        script: whether the script of get.docker.com serves it.
        by_hand: what to do where none of these can be.
        image: its container image, by version, where that has not its ID's name.
    """

    manager: str = ""
    package: str = ""
    folder: str = ""
    releases: Mapping[str, str] = field(default_factory=dict)
    own_releases: bool = True
    script: bool = False
    by_hand: str = STATIC
    image: str = ""

    def release(self, os: Mapping[str, str]) -> str:
        """What Docker's site calls the host's release; "" where it has none."""
        if self.manager == "apt":  # a derivative names what it is made of
            base = os.get("UBUNTU_CODENAME") or os.get("DEBIAN_CODENAME", "")
            own = os.get("VERSION_CODENAME", "")
        else:
            base, own = "", major(os)
        return base or self.releases.get(own) or (own if self.own_releases else "")

    def packages(self, os: Mapping[str, str]) -> str:
        """Its own Docker: since Debian 13 the client is a package apart, and only recommended."""
        apart = self is DEBIAN and int(major(os) or 99) > 12
        return f"{self.package} docker-cli" if apart else self.package

    def sources(self, os: Mapping[str, str]) -> list[str]:
        """The values of [docker] source that can work there, the best first."""
        there = {
            "distro": bool(self.package),
            "docker-ce": bool(self.folder and self.release(os)),
            "script": self.script,
        }
        return [source for source, works in there.items() if works]


# docs.docker.com/engine/install; Raspberry Pi OS of 64 bits calls itself debian.
DEBIAN = Distribution(
    "apt", "docker.io", "debian", {"forky": "trixie", "sid": "trixie"}, script=True
)
UBUNTU = Distribution("apt", "docker.io", "ubuntu", script=True)
# A derivative of Debian or Ubuntu: by its base's name alone, as its own is not on Docker's site.
OF_DEBIAN = Distribution("apt", "docker.io", "debian", own_releases=False, script=True)
OF_UBUNTU = Distribution("apt", "docker.io", "ubuntu", own_releases=False, script=True)
# docs.docker.com/engine/install/rhel: no Docker of its own since 8. Docker's site has major versions,
# and $releasever may be a minor one.
RHEL = Distribution("dnf", "", "rhel", script=True, image="registry.access.redhat.com/ubi{}")
# Rebuilds take CentOS' folder: what wiki.almalinux.org and docs.rockylinux.org tell, and mirrors have.
REBUILD = Distribution("dnf", "", "centos")
FEDORA = Distribution("dnf", "moby-engine", "fedora", script=True)
SUSE = Distribution("zypper", "docker")  # en.opensuse.org/Docker; in SLES the module Containers
# Systems that come as an image: a package manager cannot write to the one that runs.
TRANSACTIONAL = Distribution(
    by_hand="transactional-update pkg install docker on the host, reboot it, and set [docker] "
    'source = "present"'
)
OSTREE = Distribution(
    by_hand="rpm-ostree install moby-engine on the host, or put Docker into the image that it boots, "
    'reboot it, and set [docker] source = "present"'
)
# Their variants of what is else installed by packages: fedora-release.spec, and SUSE's SLES 16.
VARIANTS = {
    **dict.fromkeys(("coreos", "iot", "silverblue", "kinoite", "sericea", "onyx"), OSTREE),
    "transactional": TRANSACTIONAL,
}
MICRO = {
    *("microos", "opensuse-microos", "suse-microos"),
    *("opensuse-leap-micro", "sle-micro", "sl-micro"),
}

# By ID, or by ID and major version where they differ.
DISTRIBUTIONS: dict[str, Distribution] = {
    "debian": DEBIAN,
    "ubuntu": UBUNTU,
    "raspbian": Distribution("apt", "docker.io", "raspbian", script=True),
    "raspbian 13": DEBIAN,  # get.docker.com: Docker has no Raspbian trixie
    # kali.org/docs/containers/installing-docker-on-kali: Debian's stable
    "kali": Distribution("apt", "docker.io", "debian", {"kali-rolling": "bookworm"}, False),
    "devuan": Distribution(  # devuan.org/os/releases: which Debian each is
        "apt",
        "docker.io",
        "debian",
        {"chimaera": "bullseye", "daedalus": "bookworm", "excalibur": "trixie"},
        False,
    ),
    "fedora": FEDORA,
    "centos": Distribution(
        "dnf", "", "centos", script=True, image="quay.io/centos/centos:stream{}"
    ),
    "rhel": RHEL,
    "rocky": Distribution("dnf", "", "centos", script=True, image="rockylinux/rockylinux:{}"),
    "almalinux": REBUILD,
    "ol": Distribution("dnf", "", "centos", image="oraclelinux:{}"),  # ID_LIKE is fedora
    # docs.aws.amazon.com/linux/al2023: its own package docker; Docker's site has no such release
    "amzn": Distribution("dnf", "docker", image="amazonlinux:{}"),
    "amzn 2": Distribution(
        by_hand="amazon-linux-extras install -y docker on the host, and set [docker] "
        'source = "present"'
    ),
    # Its docker-engine is 18.09, too old for the runner; from 24.03 on there is Moby beside it.
    "openeuler": Distribution("dnf"),
    "openeuler 24": Distribution("dnf", "moby-engine moby-client"),
    "openeuler 25": Distribution("dnf", "moby-engine moby-client"),
    "kylin": Distribution(),  # docker-engine 18.09 as well; what Docker's packages need is not there
    "anolis": Distribution("dnf", "", "centos", {"8": "8"}, False),
    "alinux": Distribution("dnf", "", "centos", {"3": "8"}, False),  # help.aliyun.com
    "alpine": Distribution("apk", "docker"),  # wiki.alpinelinux.org/wiki/Docker, of community
    "opensuse-leap": SUSE,
    "opensuse-tumbleweed": SUSE,
    "sles": SUSE,
    **dict.fromkeys(MICRO, TRANSACTIONAL),
    "steamos": Distribution(),  # like arch, and read-only
    "endless": Distribution(),  # like debian, of ostree and without apt
    "arch": Distribution("pacman", "docker"),  # wiki.archlinux.org/title/Docker
}
# What a distribution that has no row of its own says that it is like.
LIKE = {
    "ubuntu": OF_UBUNTU,
    "debian": OF_DEBIAN,
    "rhel": REBUILD,
    "centos": REBUILD,
    "fedora": FEDORA,
    "suse": SUSE,
    "opensuse": SUSE,
    "arch": DISTRIBUTIONS["arch"],
    "alpine": DISTRIBUTIONS["alpine"],
}


def major(os: Mapping[str, str]) -> str:
    """The first number of its version; "" where it has none, as rolling ones have."""
    number = re.match(r"\d+", os.get("VERSION_ID", ""))
    return number[0] if number else ""


def of(os: Mapping[str, str], ostree: bool = False) -> Distribution:
    """A host's distribution by its os-release: its own row, or that of what it says it is like.

    Args:
        os: the os-release.
        ostree: whether the host has booted from an ostree, which not every os-release tells.
    """
    known = os.get("ID", "").lower()
    rows = [DISTRIBUTIONS[own] for own in (f"{known} {major(os)}", known) if own in DISTRIBUTIONS]
    variant = os.get("VARIANT_ID", "").lower()
    if variant in VARIANTS:
        return VARIANTS[variant]
    if ostree or "OSTREE_VERSION" in os or variant.endswith("-atomic"):
        return rows[0] if rows and not rows[0].manager else OSTREE
    if rows:
        return rows[0]
    # What it is built as says more than what it is like: Oracle's is like fedora, Nobara's like rhel.
    platform = re.fullmatch(r"platform:(el|f)\d+", os.get("PLATFORM_ID", ""))
    if platform:
        return REBUILD if platform[1] == "el" else FEDORA
    likes = os.get("ID_LIKE", "").lower().split()
    if MICRO.intersection(likes):
        return TRANSACTIONAL
    like = (one for one in likes if one in LIKE)
    return LIKE.get(next(like, ""), Distribution(by_hand=STATIC if known else NAMELESS))


def name(os: Mapping[str, str]) -> str:
    """What people call it."""
    unnamed = "a distribution without a name in its os-release"
    return os.get("PRETTY_NAME") or os.get("NAME") or os.get("ID") or unnamed
