"""Docker's packages of a system with all that they depend on, for a bundle."""

import re
import shlex
import tarfile
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from runnerkit.bundle import writing
from runnerkit.bundle.contents import BundledPackages
from runnerkit.bundle.writing import Depot, Pieces
from runnerkit.errors import KitError
from runnerkit.facts import distributions, os_release, systems
from runnerkit.files.package_hints import INSTALL_HINTS
from runnerkit.fleet.host import Host
from runnerkit.plan import Hint, Pull, Script
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


def gathered(
    host: Host, want: Want, depot: Depot, system: str, base: str, architecture: str
) -> BundledPackages:
    """Put Docker's packages of a system into a depot, resolved in a container of it.

    Args:
        host: the one that has the container.
        want: what hosts shall be.
        depot: where they go.
        system: for example debian-12.
        base: the image of it.
        architecture: as the bundle names it.

    Raises:
        KitError: the image is another system's, or the packages are not to be had.
    """
    from runnerkit.engine import failure
    from runnerkit.engine.client import find

    if not find(host.engine, base):
        logins = want.docker.registry_logins
        host.write(want, [Pull(f"pull {base}", base, want.sources(base), logins=logins)])
    os = _os(host, want, base)
    if (own := systems.of(os)) != system:
        raise KitError(
            f"the image {base} is {own}, not {system}",
            "name an image of that system: [bundle] bases",
        )
    row = distributions.of(os)
    words, packer = docker_engine.origin(want, os, row), PACKERS[row.manager]
    names = str(words["packages"])
    text = render(
        "bundle-packages.sh.j2",
        name=(name := f"{CONTAINER}-{system}"),
        base=base,
        ca=want.network.ca,
        **{**words, "packages": names + packer.extra, "notes": ""},
    )
    title = f"download Docker's packages for {system}"
    try:
        host.script(want, Script(title, text, hints=HINTS, recorded=False))
        folder = f"packages/{system}/{architecture}"
        index, files = "", {}
        with (
            failure.translated(title),
            tarfile.open(
                fileobj=Pieces(host.engine.get_archive(name, "/runnerkit")[0]), mode="r|"
            ) as archive,
        ):
            for member in archive:
                file = member.name.rpartition("/")[2]
                content = archive.extractfile(member) if member.isfile() else None
                if content and file == packer.index:
                    index = content.read().decode()
                elif content:
                    files[file] = f"{folder}/{file}"
                    depot.add(files[file], iter(partial(content.read, writing.CHUNK), b""))
    finally:
        with suppress(Exception):  # what went wrong before says more
            host.engine.remove_container(name, v=True, force=True)
    sizes = re.findall(packer.size, index, re.MULTILINE)
    total = sum(map(int, sizes)) * packer.unit
    return BundledPackages(system, want.docker.source, tuple(names.split()), index, files, total)


def _os(host: Host, want: Want, base: str) -> dict[str, str]:
    text = f"docker run --rm --entrypoint cat {shlex.quote(base)} /etc/os-release"
    script = Script(f"look which system {base} is", text, recorded=False)
    return os_release.parse(host.script(want, script))
