"""What package managers say when they fetch nothing, recorded on real ones, and what is made of it."""

import pytest

from runnerkit.files.package_hints import INSTALL_HINTS
from runnerkit.machine.failure import Failed
from runnerkit.plan import hint

MISSING = """E: Package 'docker.io' has no installation candidate
E: Unable to locate package docker-cli
"""
DNF_MISSING = """Ignoring repositories: x
No match for argument: moby-engine
Error: Unable to find a match: moby-engine"""
ZYPPER_MISSING = """Warning: GPG checking is disabled in configuration of repository 'x'.
'docker' not found in package names. Trying capabilities.
No provider of 'docker' found."""
# What was said; what leads in the error; what the fix speaks of.
SAID = {
    "apt, no DNS": (
        MISSING
        + "W: Failed to fetch http://deb.debian.org/debian/dists/trixie/InRelease  Temporary "
        "failure resolving 'deb.debian.org'\nW: Some index files failed to download.",
        "resolving 'deb.debian.org'",
        "DNS",
    ),
    "apt, nothing at the proxy": (
        MISSING
        + "E: Failed to fetch http://deb.debian.org/debian/dists/trixie/InRelease  Unable to "
        "connect to 127.0.0.1:9:",
        "127.0.0.1:9",
        "mirror or proxy",
    ),
    "apt, a proxy with a login": (
        "E: Failed to fetch http://deb.debian.org/x/InRelease  407  Proxy Authentication Required",
        "407",
        "the proxy",
    ),
    "apt, no such suite": (
        MISSING
        + "E: The repository 'http://deb.debian.org/debian nosuite Release' does not have a "
        "Release file.",
        "nosuite",
        "no such release",
    ),
    "apt, a package that moved on": (
        "E: Failed to fetch http://deb.debian.org/x/ca-certificates_20230311_all.deb  404  Not Found",
        "404",
        "no such release or file",
    ),
    "apt, the mirror's TLS": (
        "E: Failed to fetch https://m/InRelease  Certificate verification failed: The certificate is "
        "NOT trusted. The certificate issuer is unknown.",
        "NOT trusted",
        "does not trust",
    ),
    "apt, a clock behind": (
        MISSING + "E: Release file for http://deb.debian.org/debian/dists/trixie/InRelease is not "
        "valid yet (invalid for another 1d 2h 3min 4s). Updates for this repository will not be applied.",
        "not valid yet",
        "clock of the host is behind",
    ),
    "apt, a mirror left alone": (
        "E: Release file for http://m/debian/dists/sid/InRelease is expired (invalid since 9d 3h 5min "
        "1s). Updates for this repository will not be applied.",
        "is expired",
        "no longer renewed",
    ),
    "apt, a key that is missing": (
        "W: GPG error: http://m sid InRelease: The following signatures couldn't be verified because "
        "the public key is not available: NO_PUBKEY 6ED0E7B82643E131",
        "NO_PUBKEY",
        "archive keys",
    ),
    "apt, a disk that is full": (
        "W: Failed to fetch http://m/x  Error writing to file - write (28: No space left on device)",
        "No space left",
        "make room",
    ),
    "apt, a disk that cannot be written": (
        "E: List directory /var/lib/apt/lists/partial is missing. - Acquire (30: Read-only file system)",
        "Read-only",
        "mount that file system",
    ),
    "apt, no such package": (MISSING, "no installation candidate", "universe"),
    "curl, a clock behind": (
        "https://m/linux/debian/gpg: curl: (60) SSL certificate problem: certificate is not yet valid",
        "https://m/linux/debian/gpg",
        "clock of the host is behind",
    ),
    "curl, a certificate that ran out": (
        "https://m/gpg: curl: (60) SSL certificate problem: certificate has expired",
        "has expired",
        "run out",
    ),
    "curl, no such file": (
        "https://m/gpg: curl: (22) The requested URL returned error: 404",
        "https://m/gpg",
        "no such release or file",
    ),
    "dnf, no DNS": (
        "Errors during downloading metadata for repository 'x':\n  - Curl error (6): Could not resolve "
        "hostname for http://m/fedora/repodata/repomd.xml [Could not resolve host: m]\n"
        + DNF_MISSING,
        "resolve hostname for http://m",
        "DNS",
    ),
    "dnf, nothing there": (
        "  - Curl error (7): Could not connect to server for http://127.0.0.1:9/fedora/repodata/"
        "repomd.xml [Failed to connect to 127.0.0.1 port 9 after 0 ms]\n" + DNF_MISSING,
        "127.0.0.1:9",
        "nothing answers",
    ),
    "dnf, no such site": (
        "  - Status code: 404 for https://m/2023.8/repomd.xml (IP: 203.0.113.80)\n" + DNF_MISSING,
        "https://m/2023.8",
        "no such release or file",
    ),
    "dnf, no sources": (
        'Error: There are no enabled repositories in "/etc/yum.repos.d", "/etc/yum/repos.d".',
        "no enabled repositories",
        "subscription-manager",
    ),
    "dnf, Podman in the way": (
        "Error: \n Problem: problem with installed package podman-4.6.1-5.el9.x86_64\n  - package "
        "containerd.io-1.6.26-3.1.el9.x86_64 conflicts with runc",
        "podman-4.6.1",
        "remove those",
    ),
    "zypper, no DNS": (
        "   Error code: Connection failed\n   Error message: Could not resolve host: m\n"
        + ZYPPER_MISSING,
        "Could not resolve host: m",
        "DNS",
    ),
    "zypper, no such package": (ZYPPER_MISSING, "not found in package names", "Containers"),
    "pacman, no DNS": (
        "error: failed retrieving file 'core.db' from m : Could not resolve host: m\nerror: failed to "
        "synchronize all databases (invalid url for server)",
        "core.db",
        "DNS",
    ),
    "pacman, an old index": (
        "error: failed retrieving file 'docker-1:29.0-1-x86_64.pkg.tar.zst' from m : The requested URL "
        "returned error: 404\nerror: target not found: docker",
        "docker-1:29.0",
        "pacman -Syu",
    ),
    "pacman, no index": (
        "warning: database file for 'core' does not exist (use '-Sy' to download)\nerror: target not "
        "found: docker",
        "database file",
        "pacman -Syu",
    ),
    "apk, no DNS": (
        "WARNING: updating and opening https://m/alpine/v3.22/main: DNS: transient error (try again "
        "later)\nERROR: unable to select packages:\n  docker (no such package):",
        "https://m/alpine",
        "DNS",
    ),
    "a daemon that does not start": (
        "W: Failed to fetch http://m/x  404  Not Found\nJob for docker.service failed because the "
        "control process exited with error code.",
        "Job for docker.service",
        "journalctl -u docker",
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_the_first_cause_leads_and_the_fix_fits_it(case: str) -> None:
    words, cause, fix = SAID[case]
    found = hint(words, INSTALL_HINTS)
    assert cause in Failed(100, words).why(found.pattern)
    assert fix in found.fix
    assert "docker-ce" not in found.fix
