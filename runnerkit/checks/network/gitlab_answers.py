"""GitLab answers the host as GitLab does: by name, certificate, time and clock."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs
from runnerkit.facts.probe import Reply
from runnerkit.redact import mask, plain
from runnerkit.want import Want

SHARED = "/etc/gitlab-runner/"  # the manager's name for its config_dir
SLOW = 2.0  # seconds
AHEAD = (
    60  # seconds that a registry's tokens may be off (distribution/distribution, token.go: Leeway)
)

NAME = Kind(
    "gitlab-unresolved",
    Level.ERROR,
    "the host does not know the name {host}: its name servers are {servers}",
    "mend its DNS (/etc/resolv.conf; getent hosts {host} there tries it); where only DNS of your own "
    "knows the name, name that server first",
)
CONNECTION = Kind(
    "gitlab-unreachable",
    Level.ERROR,
    "nothing answers the host at {url}: {why}",
    "open the way in the firewall between them, or correct [gitlab] url",
)
UNTRUSTED = Kind(
    "gitlab-certificate-untrusted",
    Level.ERROR,
    "the certificate of {url} is by a CA that the manager does not know: {why}",
    "name the file of that CA as [network] ca_file; or put it on the host as {file}",
)
EXPIRED = Kind(
    "gitlab-certificate-expired",
    Level.ERROR,
    "the certificate of {url} is out of its time: {why}",
    "renew it at GitLab",
)
OTHER_NAME = Kind(
    "gitlab-certificate-name",
    Level.ERROR,
    "the certificate of {url} is for another name: {why}",
    "write the name that it has into [gitlab] url, or make one for this name",
)
NO_TLS = Kind(
    "gitlab-no-tls",
    Level.ERROR,
    "what answers at {url} does not speak as it should: {why}",
    "correct http or https, and the port, in [gitlab] url",
)
FAILING = Kind(
    "gitlab-failing",
    Level.ERROR,
    "GitLab at {url} answers with {status}",
    "GitLab itself fails or is overloaded: see how it fares (sudo gitlab-ctl status there)",
)
OTHER = Kind(
    "gitlab-other",
    Level.ERROR,
    "what answers at {url} is not GitLab's API: {why}",
    "correct [gitlab] url; a login page or a portal before GitLab must let /api/ through for runners",
)
TARDY = Kind(
    "gitlab-slow",
    Level.NOTE,
    "GitLab took {seconds} s to answer the host a question that costs nothing",
    "see to GitLab's load, and to the way there: a slow name server or proxy",
)
CLOCK = Kind(
    "clock-off",
    Level.ERROR,
    "the host's clock is {seconds} s {where} GitLab's: certificates and tokens seem out of their time",
    "timedatectl set-ntp true on the host, or date -s there; where GitLab's clock is off, mend that",
)
KINDS = (NAME, CONNECTION, UNTRUSTED, EXPIRED, OTHER_NAME, NO_TLS, FAILING, OTHER, TARDY, CLOCK)


def needs(want: Want) -> Needs:
    host = urlsplit(want.url).hostname or ""
    plain_address = re.fullmatch(r"[\d.]+|[0-9a-f:]*", host)
    return Needs(files=authorities(want), names=() if plain_address else (host,))


def authorities(want: Want) -> tuple[str, ...]:
    """Files of the host by which its manager may know GitLab's certificate (GitLab Runner,
    docs/configuration/tls-self-signed.md, and the entry point of its image)."""
    folder, host = want.manager.config_dir, urlsplit(want.url).hostname
    own = (str(one.spec.settings.get("tls-ca-file", "")) for one in want.runners)
    named = (one.replace(SHARED, f"{folder}/", 1) for one in own if one.startswith(SHARED))
    return (f"{folder}/certs/{host}.crt", f"{folder}/certs/ca.crt", *named)


def answers(have: Facts) -> bool:
    """Whether GitLab answered the host, or was not asked."""
    reply = have.probe.gitlab if have.probe else None
    return not reply or not (reply.trouble or _strange(reply) or _fails(reply))


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    if not have.probe or not (reply := have.probe.gitlab):
        return
    why = mask(plain(reply.why)).replace("\n", " ")[:200]
    if reply.trouble:
        yield _trouble(want, have, reply.trouble, why)
    elif _fails(reply):
        yield FAILING.found(url=want.url, status=reply.status)
    elif _strange(reply):
        where = f" and sends us to {reply.place}" if reply.place else ""
        kind = reply.kind or "nothing"
        yield OTHER.found(url=want.url, why=f"status {reply.status}, {kind}{where}")
    else:
        if reply.seconds > SLOW:
            yield TARDY.found(seconds=f"{reply.seconds:.1f}")
        if reply.skew is not None and abs(reply.skew) > AHEAD:
            where = "ahead of" if reply.skew > 0 else "behind"
            yield CLOCK.found(seconds=abs(reply.skew), where=where)


def _trouble(want: Want, have: Facts, trouble: str, why: str) -> Finding:
    host = urlsplit(want.url).hostname
    if trouble == "name":
        servers = ", ".join(have.probe.nameservers if have.probe else ()) or "none"
        return NAME.found(host=host, servers=servers)
    if trouble == "certificate":
        if "expired" in why or "not yet valid" in why:
            return EXPIRED.found(url=want.url, why=why)
        if "mismatch" in why or "not valid for" in why:
            return OTHER_NAME.found(url=want.url, why=why)
        return UNTRUSTED.found(url=want.url, why=why, file=authorities(want)[0])
    if trouble == "nonsense":
        return NO_TLS.found(url=want.url, why=why)
    return CONNECTION.found(url=want.url, why=why or "no answer in time")


def _fails(reply: Reply) -> bool:
    return reply.status >= 500 or reply.status == 429


def _strange(reply: Reply) -> bool:
    """Whether it is none of GitLab's own answers to who has no token."""
    return reply.status not in (200, 401, 403) or "json" not in reply.kind
