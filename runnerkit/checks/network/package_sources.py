"""A blank host reaches what Docker's packages are downloaded from."""

from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs, distributions, package_mirrors
from runnerkit.facts.probe import Reply
from runnerkit.want import Want

CE = package_mirrors.DOCKER
SCRIPT = "https://get.docker.com"
UNREACHED = Kind(
    "packages-unreachable",
    Level.ERROR,
    "the host's package source {url} does not answer it: {why}",
    "open the way there, or name a mirror: [docker] package_mirror, or in the host's own package sources",
)
FOUND = Kind(
    "packages-site",
    Level.NOTE,
    "Docker's packages are to be had from {sites}; not from: {others}",
    "bootstrap takes the fastest of them whose packages and signature are good; [docker] package_mirror "
    "names one for good",
)
NONE = Kind(
    "packages-nowhere",
    Level.ERROR,
    "none of the known mirrors has Docker's packages for the host: {others}",
    "name one that the host reaches as [docker] package_mirror; or its proxy as [network] proxy",
)
KINDS = (UNREACHED, FOUND, NONE)


def needs(want: Want) -> Needs:
    return Needs()


def places(want: Want, have: Facts) -> tuple[str, ...]:
    """What must answer: the host's own sources, and Docker's where they are wanted."""
    own = have.probe.sources if have.probe else ()
    mirror = want.docker.package_mirror
    docker = {"docker-ce": CE, "script": SCRIPT}.get(want.docker.source, "")
    if mirror == package_mirrors.AUTO:
        return (*own, *indexes(want, have))
    return (*own, *filter(None, [mirror if "://" in mirror else docker]))


def indexes(want: Want, have: Facts) -> dict[str, str]:
    """The known sites by the address of their index for the host, where one of them is to be chosen."""
    row = distributions.of(have.os, have.ostree)
    release, auto = row.release(have.os), want.docker.package_mirror == package_mirrors.AUTO
    source = want.docker.source
    if have.docker_runs or not auto or source != "docker-ce" or source not in row.sources(have.os):
        return {}
    index = f"{release}/{have.architecture}/stable/repodata/repomd.xml"
    index = f"dists/{release}/InRelease" if row.manager == "apt" else index
    return {f"{one}/linux/{row.folder}/{index}": one for one in package_mirrors.SITES}


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    sites, good, bad = indexes(want, have), list[str](), list[str]()
    for reply in have.probe.packages if have.probe else ():
        if site := sites.get(reply.url):
            why = _trouble(reply) or ("" if reply.status == 200 else f"status {reply.status}")
            page = "a page, and no index" if "html" in reply.kind else ""
            bad += [f"{site} ({why or page})"] if why or page else []
            good += [] if why or page else [site]
        elif reply.trouble and reply.trouble != "nonsense":
            yield UNREACHED.found(url=reply.url, why=_trouble(reply))
    if good:
        yield FOUND.found(sites=", ".join(good), others=", ".join(bad) or "none")
    elif bad:
        yield NONE.found(others=", ".join(bad))


def _trouble(reply: Reply) -> str:
    why = {"name": "the host does not know its name", "silence": "no answer in time"}
    return why.get(reply.trouble, reply.why or reply.trouble)
