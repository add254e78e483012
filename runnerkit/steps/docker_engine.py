"""A Docker Engine runs. Installed only where there is none."""

import re
from collections.abc import Iterator

from runnerkit import container
from runnerkit.checks import engine
from runnerkit.errors import KitError
from runnerkit.facts import Facts, Needs
from runnerkit.plan import Change, Endpoint, Hint, Script
from runnerkit.templates import render
from runnerkit.want import Want

# What differs between distributions: the package manager, the distribution's own Docker, and the
# folder of docker-ce's repository ("" where there is none).
DISTRIBUTIONS: dict[str, tuple[str, str, str]] = {
    "debian": ("apt", "docker.io", "debian"),
    "ubuntu": ("apt", "docker.io", "ubuntu"),
    "raspbian": ("apt", "docker.io", "raspbian"),
    "fedora": ("dnf", "moby-engine", "fedora"),
    "centos": ("dnf", "", "centos"),
    "rhel": ("dnf", "", "rhel"),
    "alpine": ("apk", "docker", ""),
}
# Whose signature is taken, by package manager (docs.docker.com/engine/install).
KEYS = {
    "apt": "9DC858229FC7DD38854AE2D88D81803C0EBFCD88",
    "dnf": "060A61C51B558A7F742B77AAC52FEB6B621E9F35",
}
CE = "docker-ce docker-ce-cli containerd.io docker-buildx-plugin"
START_HINTS = (Hint("", "see the daemon's log on the host: journalctl -u docker"),)
COMPLETE_HINTS = (
    Hint("", "the package that is named there is broken: mend it on the host, then run again"),
)
UNFETCHED = (
    "the packages cannot be fetched from the host: set the proxy or mirror of its package "
    "manager (for docker-ce, or [docker] package_mirror)"
)
HINTS = (
    Hint(
        "NO_PUBKEY|not signed|not the known key|script_sha256",
        "something else than Docker's answers there: correct [docker] package_mirror; or write the key "
        "of who signs there as package_key, or the script's checksum as script_sha256",
    ),
    Hint("Unable to locate package", 'set [docker] source = "docker-ce", or mend apt sources'),
    Hint("Could not resolve|Failed to fetch|Could not connect|timed out", UNFETCHED),
    Hint("", "see the last lines above; the host is as apt, dnf or apk left it"),
)


def needs(want: Want) -> Needs:
    return Needs()


def changes(want: Want, have: Facts) -> Iterator[Change]:
    if have.docker_runs:
        for found in engine.findings(want, have):
            raise found.error()
    if have.unpacked:
        busy = have.docker_runs and (have.jobs or want.elsewhere)  # it may be started anew
        text = (container.drain(want) if busy else "") + render("complete-packages.sh.j2")
        yield Script("complete the packages that were cut off", text, hints=COMPLETE_HINTS)
    if have.dockerd and not have.docker_runs:
        text = render("start-docker.sh.j2", verb="start")
        yield Script("start docker", text, hints=START_HINTS)
    elif not have.docker_runs:
        yield _install(want, have)


def _install(want: Want, have: Facts) -> Script:
    source, mirror = want.docker.source, want.docker.package_mirror
    if source == "present":
        raise KitError(
            'no Docker on the host, and docker.source = "present" never installs one',
            'install Docker there, or set source = "distro"',
        )
    name = have.os.get("PRETTY_NAME", "an unnamed distribution")
    family = _family(have)
    manager, package, folder = DISTRIBUTIONS.get(family, ("", "", ""))
    if source == "distro" and not package:
        other = 'source = "docker-ce"' if folder else 'source = "script"'
        raise KitError(
            f"{name} has no Docker package that the kit knows",
            f'set [docker] {other}, or install Docker and set source = "present"',
        )
    if source == "docker-ce" and not folder:
        raise KitError(
            f"there is no docker-ce for {name}",
            'set [docker] source = "distro", or install Docker and set "present"',
        )
    number = re.match(r"\d+", have.os.get("VERSION_ID", ""))
    if (
        source == "distro"
        and have.os.get("ID") == "debian"
        and int(number[0] if number else 99) > 12
    ):
        package += " docker-cli"  # since Debian 13 a package of its own, and only recommended
    _trusted(want, manager)
    text = render(
        "install-docker.sh.j2",
        source=source,
        key=want.docker.package_key or KEYS.get(manager, ""),
        checksum=want.docker.script_sha256,
        manager=manager,
        packages=package if source == "distro" else CE,
        folder=folder,
        mirror=mirror,
        start=render("start-docker.sh.j2", verb="start"),
    )
    return Script(f"install Docker ({source}, {name})", text, hints=HINTS, reaches=_mirror(mirror))


def _trusted(want: Want, manager: str) -> None:
    """Refuse to run as root what nobody vouches for."""
    source, mirror = want.docker.source, want.docker.package_mirror
    signed = source == "docker-ce" and manager == "apt"  # the lists too, and so each package
    if mirror.lower().startswith("http://") and not signed and not want.docker.script_sha256:
        raise KitError(
            f"[docker] package_mirror {mirror}: by http anybody between could put in what runs as root",
            "name it by https" + " or write its script_sha256" * (source == "script"),
        )
    if source == "script" and "://" in mirror and not want.docker.script_sha256:
        raise KitError(
            f"the script of {mirror} would run as root, and nothing says what it should be",
            'write its checksum, [docker] script_sha256 = "…", or set source = "docker-ce"',
        )


def _mirror(url: str) -> tuple[Endpoint, ...]:
    """The package mirror, unless it is one of the script's own names."""
    return (Endpoint(url, "package mirror", "correct package_mirror"),) if "://" in url else ()


def _family(have: Facts) -> str:
    """The table's name for a distribution: its own, or the first that it says it is like."""
    names = [have.os.get("ID", ""), *have.os.get("ID_LIKE", "").split()]
    return next((name for name in names if name in DISTRIBUTIONS), "")
