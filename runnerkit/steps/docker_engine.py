"""A Docker Engine runs. Installed only where there is none."""

from collections.abc import Iterator

from runnerkit import container
from runnerkit.bundle import installation
from runnerkit.checks.engine import api_version
from runnerkit.errors import KitError
from runnerkit.facts import Facts, Needs, distributions
from runnerkit.files import memory
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
DAEMON_LOG = "see the daemon's log on the host: journalctl -u docker, or /var/log/docker.log"
_DAEMON = (
    Hint(
        "unable to configure the Docker daemon",
        "correct /etc/docker/daemon.json on the host, or the flags that dockerd is started with",
    ),
    Hint(
        "(?i)failed to start daemon|level=fatal|job for docker|cannot connect to the docker daemon",
        DAEMON_LOG,
    ),
)
START_HINTS = (_DAEMON[0], Hint("", DAEMON_LOG))
COMPLETE_HINTS = (
    container.WAITED,
    Hint("", "the package that is named there is broken: mend it on the host, then run again"),
)
# What package managers, and curl, say of why they fetch nothing: the first cause first, as what they
# then miss follows from it.
INSTALL_HINTS = (
    Hint(
        r"not the known key|script_sha256|GPG error: \S+/linux/",
        "something else than Docker's answers there: correct [docker] package_mirror; or write the key "
        "of who signs there as package_key, or the script's checksum as script_sha256",
    ),
    *_DAEMON,
    Hint(
        "(?i)resolve proxy|from proxy|proxy authentication|connect tunnel failed",
        "the proxy of the host's package manager refuses: correct its address or login (apt: "
        "/etc/apt/apt.conf.d, dnf: proxy= in /etc/dnf/dnf.conf, others: http_proxy)",
    ),
    Hint(
        "(?i)temporary failure resolving|could(n't| not) resolve|name or service not known"
        "|dns: |dns lookup error|bad address",
        "the host does not know that name: mend its DNS (/etc/resolv.conf; getent hosts NAME tries "
        "it), or give its package manager a proxy",
    ),
    Hint(
        "(?i)certificate (verif|is |has |chain|problem)|signed certificate|ssl (connect|error|peer|cert)"
        "|tls (handshake|connect|error)|handshake failed",
        "the host does not trust that site's certificate: give it the CA of the mirror, or of the "
        "proxy that looks into TLS (update-ca-certificates, update-ca-trust)",
    ),
    Hint(
        r"(?i)is expired \(invalid",
        "the mirror is no longer renewed: choose another in the host's package sources; unless the "
        "clock of the host is ahead: date there tells",
    ),
    Hint(
        "(?i)no_pubkey|is not signed|expkeysig|badsig|gpg error|gpg check failed|public key .*not"
        "|signature verification failed|signatures? (was|were) invalid|clearsigned|untrusted",
        "the host does not trust who signed these packages: renew its archive keys (its keyring "
        "package); or something between answers in the mirror's place",
    ),
    Hint(
        "(?i)hash sum mismatch|unexpected size|mirror sync|checksum does",
        "the mirror, or a cache before it, is in the midst of an update: run again in some minutes, or "
        "choose another in the host's package sources",
    ),
    Hint(
        r"database file for .* does not exist|failed retrieving file '\S+\.pkg.* 404",
        "its index is older than its mirror, or was never fetched: pacman -Syu on the host, then run "
        "again",
    ),
    Hint(
        r"(?i)does not have a release file|no longer has a release file|\b404\b",
        "the site has no such release or file: correct the host's package sources; an old release has "
        "moved to an archive (archive.debian.org, old-releases.ubuntu.com, vault.centos.org)",
    ),
    Hint(
        r"(?i)(code|error|response):? 40\d\b|40\d +(forbidden|unauthorized|bad request)",
        "the site refuses the host: correct its login, or choose another in the host's package sources",
    ),
    Hint(
        "(?i)not registered|no enabled repos|no repositories defined|no usable package repositories",
        "give the host package sources: subscription-manager register, SUSEConnect, or a repository "
        "of your own",
    ),
    Hint(
        "(?i)(could not|failed to|unable to) connect|connection (refused|timed out|failed|reset)"
        "|timed out|no route to host|unreachable|temporary error|failed to fetch|cannot download"
        "|failed to download|failed to synchronize|failed retrieving",
        "nothing answers the host there: see to its network and firewall, and to the mirror or proxy "
        "in its package manager's settings",
    ),
    Hint(
        "(?i)unable to locate package|no installation candidate|no match for argument|no package .*"
        "available|unable to find a match|no such package|not found in package names|target not found",
        "none of the host's package sources has it: enable the part that does (Ubuntu: universe, "
        "Alpine: community, SLES: the module Containers), or name another [docker] source",
    ),
    Hint(
        "(?i)unmet dependencies|held broken|conflicts? with|conflicting requests|nothing provides"
        "|problem with installed",
        "other packages on the host stand against it: remove those that are named (often podman, "
        "podman-docker, runc), then run again",
    ),
    Hint("", "mend on the host what its package manager says, then run again"),
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
        return installation.script(want.bundle, have, INSTALL_HINTS)
    source, mirror = want.docker.source, want.docker.package_mirror
    name, row = distributions.name(have.os), distributions.of(have.os, have.ostree)
    works = row.sources(have.os)
    if source not in works:
        raise KitError(
            REFUSALS[source].format(name=name),
            f'set [docker] source = "{works[0]}"' if works else row.by_hand,
        )
    _trusted(want, row.manager)
    text = render(
        "install-docker.sh.j2",
        source=source,
        key=want.docker.package_key or KEYS.get(row.manager, ""),
        checksum=want.docker.script_sha256,
        manager=row.manager,
        packages=row.packages(have.os) if source == "distro" else CE,
        folder=row.folder,
        release=row.release(have.os),
        mirror=mirror,
        notes=memory.FOLDER,
        start=render("start-docker.sh.j2", verb="start"),
        folder_of_bundle="",
    )
    return Script(
        f"install Docker ({source}, {name})", text, hints=INSTALL_HINTS, reaches=_mirror(mirror)
    )


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
