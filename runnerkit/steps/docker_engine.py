"""A Docker Engine runs. Installed only where there is none."""

from collections.abc import Iterator, Mapping

from runnerkit import container
from runnerkit.bundle import installation
from runnerkit.checks.engine import api_version
from runnerkit.errors import KitError
from runnerkit.facts import Facts, Needs, distributions, package_mirrors
from runnerkit.files import memory, outside
from runnerkit.files.package_hints import DAEMON, DAEMON_LOG, INSTALL_HINTS
from runnerkit.plan import Change, Endpoint, Hint, Script
from runnerkit.templates import render
from runnerkit.want import Want

REFUSALS = {
    "present": 'no Docker on the host, and docker.source = "present" never installs one',
    "distro": "{name} has no Docker package that the kit knows",
    "docker-ce": "there is no docker-ce for {name}",
    "script": "the script of get.docker.com does not serve {name}",
}
# Whose signature is taken, by package manager (docs.docker.com/engine/install).
KEYS = {
    "apt": "9DC858229FC7DD38854AE2D88D81803C0EBFCD88",
    "dnf": "060A61C51B558A7F742B77AAC52FEB6B621E9F35",
}
CE = "docker-ce docker-ce-cli containerd.io docker-buildx-plugin"
START_HINTS = (DAEMON[0], Hint("", DAEMON_LOG))
COMPLETE_HINTS = (
    container.WAITED,
    Hint("", "the package that is named there is broken: mend it on the host, then run again"),
)


def needs(want: Want) -> Needs:
    return Needs()


def changes(want: Want, have: Facts) -> Iterator[Change]:
    if have.docker_runs:
        for found in api_version.findings(want, have):
            raise found.error()
    if have.unpacked and not want.bundle:
        drain = container.jobs_end(want, have) if have.docker_runs else ""
        text = render("complete-packages.sh.j2", name=want.manager.container, drain=drain)
        text = outside.exports(want) + text
        yield Script("complete the packages that were cut off", text, hints=COMPLETE_HINTS)
    if have.dockerd and not have.docker_runs and not (want.bundle and have.unpacked):
        text = render("start-docker.sh.j2", verb="start")
        yield Script("start docker", text, hints=START_HINTS)
    elif not have.docker_runs:
        yield _install(want, have)


def _install(want: Want, have: Facts) -> Script:
    if have.podman:  # which a package manager would take away for Docker without a word
        raise KitError(
            "what is called docker on the host is Podman, which the kit does not drive",
            "remove podman-docker there (Podman itself may stay), then run again",
        )
    if want.bundle and want.docker.source != "present":
        return installation.script(want.bundle, have, want.docker.source)
    row = distributions.of(have.os, have.ostree)
    words = origin(want, have.os, row)
    text = outside.exports(want) + render(
        "install-docker.sh.j2",
        notes=memory.FOLDER,
        start=render("start-docker.sh.j2", verb="start"),
        folder_of_bundle="",
        **words,
    )
    return Script(
        f"install Docker ({want.docker.source}, {distributions.name(have.os)})",
        text,
        hints=INSTALL_HINTS,
        reaches=_mirror(want.docker.package_mirror),
    )


def origin(want: Want, os: Mapping[str, str], row: distributions.Distribution) -> dict[str, object]:
    """Where Docker comes from on a system, as the templates have it.

    Args:
        want: what is wanted.
        os: the system's os-release.
        row: its distribution.

    Raises:
        KitError: the source has no Docker for it, or nobody vouches for it.
    """
    source, mirror = want.docker.source, want.docker.package_mirror
    works = row.sources(os)
    if source not in works:
        raise KitError(
            REFUSALS[source].format(name=distributions.name(os)),
            f'set [docker] source = "{works[0]}"' if works else row.by_hand,
        )
    _trusted(want, row.manager)
    return {
        "source": source,
        "key": want.docker.package_key or KEYS.get(row.manager, ""),
        "checksum": want.docker.script_sha256,
        "manager": row.manager,
        "packages": row.packages(os) if source == "distro" else CE,
        "folder": row.folder,
        "release": row.release(os),
        "mirror": mirror,
        "sites": package_mirrors.sites(mirror),
    }


def _trusted(want: Want, manager: str) -> None:
    """Refuse to run as root what nobody vouches for."""
    source, mirror = want.docker.source, want.docker.package_mirror
    signed = source == "docker-ce" and manager == "apt"  # the lists, and so each package
    if mirror.startswith("http://") and source != "distro" and not signed:
        raise KitError(
            f"[docker] package_mirror {mirror}: by http anybody between could put in what runs as root",
            "name it by https",
        )
    if source == "script" and "://" in mirror and not want.docker.script_sha256:
        raise KitError(
            f"the script of {mirror} would run as root, and nothing says what it should be",
            'write its checksum, [docker] script_sha256 = "…", or set source = "docker-ce"',
        )


def _mirror(url: str) -> tuple[Endpoint, ...]:
    """The package mirror, unless it is one of the script's own names."""
    return (Endpoint(url, "package mirror", "correct package_mirror"),) if "://" in url else ()
