"""What package managers, curl and a dockerd that they start say of why an installation fails."""

from runnerkit.plan import Hint

DAEMON_LOG = "see the daemon's log on the host: journalctl -u docker, or /var/log/docker.log"
DAEMON = (
    Hint(
        "unable to configure the Docker daemon",
        "correct /etc/docker/daemon.json on the host, or the flags that dockerd is started with",
    ),
    Hint(
        "(?i)failed to start daemon|level=fatal|job for docker|cannot connect to the docker daemon",
        DAEMON_LOG,
    ),
)
# What package managers, and curl, say of why they fetch nothing: the first cause first, as what they
# then miss follows from it.
INSTALL_HINTS = (
    Hint(
        "none of the known mirrors",
        "name one that the host reaches as [docker] package_mirror; or its proxy as [network] proxy",
    ),
    Hint(
        r"not the known key|script_sha256|GPG error: \S+/linux/",
        "something else than Docker's answers there: correct [docker] package_mirror; or write the key "
        "of who signs there as package_key, or the script's checksum as script_sha256",
    ),
    *DAEMON,
    Hint(
        "(?i)resolve proxy|from proxy|proxy authentication|connect tunnel failed",
        "the proxy refuses: correct [network] proxy, or what the host's package manager has itself (apt: "
        "/etc/apt/apt.conf.d, dnf: proxy= in /etc/dnf/dnf.conf)",
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
        "the host does not trust that site's certificate: name the CA of the mirror, or of the proxy "
        "that looks into TLS, as [network] ca_file",
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
