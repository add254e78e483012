"""A blank host reaches what Docker's packages are downloaded from."""

from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs, package_mirrors
from runnerkit.want import Want

CE = package_mirrors.DOCKER
SCRIPT = "https://get.docker.com"
UNREACHED = Kind(
    "packages-unreachable",
    Level.ERROR,
    "the host's package source {url} does not answer it: {why}",
    "open the way there, or name a mirror: [docker] package_mirror, or in the host's own package sources",
)
KINDS = (UNREACHED,)


def needs(want: Want) -> Needs:
    return Needs()


def places(want: Want, have: Facts) -> tuple[str, ...]:
    """What must answer: the host's own sources, and Docker's where they are wanted."""
    own = have.probe.sources if have.probe else ()
    mirror = want.docker.package_mirror
    docker = {"docker-ce": CE, "script": SCRIPT}.get(want.docker.source, "")
    if mirror == package_mirrors.AUTO:  # which of them is reached, the installation finds
        return own
    return (*own, *filter(None, [mirror if "://" in mirror else docker]))


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    for reply in have.probe.packages if have.probe else ():
        if reply.trouble and reply.trouble != "nonsense":
            why = {"name": "the host does not know its name", "silence": "no answer in time"}
            yield UNREACHED.found(url=reply.url, why=why.get(reply.trouble, reply.why))
