"""Docker's packages of a system with all that they depend on, for a bundle."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from runnerkit.bundle.contents import BundledPackages
from runnerkit.bundle.writing import CHUNK, Depot
from runnerkit.errors import KitError
from runnerkit.facts import distributions, os_release, systems
from runnerkit.files.package_hints import INSTALL_HINTS
from runnerkit.fleet.bundles.gathering import container_files, pulled
from runnerkit.fleet.host import Host
from runnerkit.plan import Hint, Script
from runnerkit.steps import docker_engine
from runnerkit.templates import render
from runnerkit.want import Want

CONTAINER = "runnerkit-packages"


@dataclass(frozen=True)
class Packer:
    """What a package manager's bundled packages are like: the index, what an installed size is in it (a
    pattern, and the bytes of its unit), and what the host may ask for besides, see install-docker.sh.j2."""

    index: str
    size: str
    unit: int
    extra: str = ""


PACKERS = {
    "apt": Packer("Packages", r"^Installed-Size: (\d+)", 1024, " ca-certificates apparmor"),
    "dnf": Packer("primary.xml", r'<size [^>]*installed="(\d+)"', 1),
}
HINTS = (
    *INSTALL_HINTS[:2],
    Hint(
        "dnf 5 is not known",
        "install Docker on such hosts yourself, or have them of another release",
    ),
    Hint(
        "(?i)is not signed|gpg check|gpg error|signature",
        "the repository has it not as its own key says: name another, or see what answers in its place",
    ),
    Hint("", "see that containers of that machine reach the distribution's packages"),
)


@dataclass(frozen=True)
class Base:
    """The container image of a system, for example debian-12, and the os-release in it."""

    system: str
    image: str
    os: dict[str, str]


def base(host: Host, want: Want, system: str, named: Mapping[str, str]) -> Base:
    """The image that a system's packages are resolved in; it is pulled where it is not there.

    Args:
        host: the one that shall have the container.
        want: what hosts shall be.
        system: for example debian-12.
        named: images by their systems, as the settings name them.

    Raises:
        KitError: it is not to be had, or another system's.
    """
    image = named.get(system) or systems.image(system)
    try:
        pulled(host, want, image)
    except KitError as error:
        fix = f"{error.fix}; or name another image of {system}: [bundle] bases"
        raise KitError(error.what, fix) from None
    os = _os(host, want, image)
    if (own := systems.of(os)) != system:
        raise KitError(
            f"the image {image} is {own}, not {system}",
            "name an image of that system: [bundle] bases",
        )
    return Base(system, image, os)


def gathered(host: Host, want: Want, depot: Depot, of: Base, architecture: str) -> BundledPackages:
    """Put Docker's packages of a system into a depot, resolved in a container of it.

    Args:
        host: the one that has the container.
        want: what hosts shall be.
        depot: where they go.
        of: the system.
        architecture: as the bundle names it.

    Raises:
        KitError: the packages are not to be had.
    """
    row, system = distributions.of(of.os), of.system
    words, packer = docker_engine.origin(want, of.os, row), PACKERS[row.manager]
    names = str(words["packages"])
    text = render(
        "bundle-packages.sh.j2",
        name=(name := f"{CONTAINER}-{system}"),
        base=of.image,
        ca=want.network.ca,
        **{**words, "packages": names + packer.extra, "notes": ""},
    )
    title = f"download Docker's packages for {system}"
    script = Script(title, text, hints=HINTS, recorded=False)
    index, files = "", {}
    with container_files(host, want, script, name, "/runnerkit") as found:
        for place, content in found:
            file = place.rpartition("/")[2]
            if file == packer.index:
                index = content.read().decode()
            else:
                files[file] = f"packages/{system}/{architecture}/{file}"
                depot.add(files[file], iter(partial(content.read, CHUNK), b""))
    sizes = re.findall(packer.size, index, re.MULTILINE)
    total = sum(map(int, sizes)) * packer.unit
    return BundledPackages(system, want.docker.source, tuple(names.split()), index, files, total)


def _os(host: Host, want: Want, base: str) -> dict[str, str]:
    text = f"docker run --rm --entrypoint cat {shlex.quote(base)} /etc/os-release"
    script = Script(f"look which system {base} is", text, recorded=False)
    return os_release.parse(host.script(want, script))
