"""Docker's packages of a system with all that they depend on, for a bundle."""

import tarfile
from contextlib import suppress
from functools import partial

from runnerkit.bundle import writing
from runnerkit.bundle.contents import BundledPackages
from runnerkit.bundle.writing import Depot, Pieces
from runnerkit.facts import distributions
from runnerkit.fleet.host import Host
from runnerkit.plan import Hint, Pull, Script
from runnerkit.templates import render
from runnerkit.want import Want

CONTAINER = "runnerkit-packages"
EXTRA = "ca-certificates apparmor"  # what the host may ask for besides, see install-docker.sh.j2
HINTS = (
    Hint(r"the image .*, not [a-z]+-\d", "name an image of that system: [bundle] bases"),
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

    known, _, version = system.partition("-")
    os = {"ID": known, "VERSION_ID": version}
    if not find(host.engine, base):
        logins = want.docker.registry_logins
        host.write(want, [Pull(f"pull {base}", base, want.sources(base), logins=logins)])
    name = f"{CONTAINER}-{system}"
    packages = f"{distributions.of(os).packages(os)} {EXTRA}"
    text = render("bundle-packages.sh.j2", name=name, base=base, system=system, packages=packages)
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
                if content and file == "Packages":
                    index = content.read().decode()
                elif content:
                    files[file] = f"{folder}/{file}"
                    depot.add(files[file], iter(partial(content.read, writing.CHUNK), b""))
    finally:
        with suppress(Exception):  # what went wrong before says more
            host.engine.remove_container(name, v=True, force=True)
    sizes = [line.split()[1] for line in index.splitlines() if line.startswith("Installed-Size:")]
    return BundledPackages(system, index, files, sum(map(int, sizes)) << 10)
