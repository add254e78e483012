"""The site's caches of Docker Hub's images run, answer the host, and serve it what it needs."""

from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.checks.network import verdict
from runnerkit.facts import Facts, Needs
from runnerkit.facts.probe import Served
from runnerkit.files.site_cache import NAME
from runnerkit.want import Want

STOPPED = Kind(
    "cache-stopped",
    Level.ERROR,
    "the cache that the host runs for the others does not run: {why}",
    "./inv bootstrap --host HOST runs it anew; docker logs runnerkit-cache on the host tells more",
)
SILENT = Kind(
    "cache-silent",
    Level.ERROR,
    "the cache of {host} does not answer at {url}: {why}",
    "./inv doctor --host {host} tells whether it runs; where it does, let the firewall of {host} open its "
    "port to this host",
)
UNTRUSTED = Kind(
    "cache-untrusted",
    Level.ERROR,
    "the host does not trust the certificate of the cache of {host} at {url}: {why}",
    "./inv bootstrap --host HOST gives it the one that {host} has now",
)
EMPTY = Kind(
    "cache-serves-nothing",
    Level.ERROR,
    "the cache of {host} at {url} answers, and serves none of {images}: {why}",
    "see what it says of its upstream: docker logs runnerkit-cache on {host}; name another by [cache] "
    "upstream, correct its login, or name the upstream's CA as [network] ca_file",
)
OPEN = Kind(
    "cache-login",
    Level.NOTE,
    "whoever reaches port {port} of the host can read the private images of {username} at Docker Hub",
    "take an account without private images for [cache], or let the host's firewall open that port to "
    "your hosts alone",
)
KINDS = (STOPPED, SILENT, UNTRUSTED, EMPTY, OPEN)


def needs(want: Want) -> Needs:
    return Needs(others=(NAME,))


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    if want.cache and have.docker_runs and not have.runs(NAME):
        restarts = have.restarts(NAME)
        there = "it has ended" if NAME in have.containers else "there is no such container"
        yield STOPPED.found(why="it ends as soon as Docker has started it" if restarts else there)
    if want.cache and want.cache.password:
        port = want.cache.address.rpartition(":")[2]
        yield OPEN.found(port=port, username=want.cache.username)
    for one in want.caches:
        served = [each for each in _served(have) if each.registry == one.url]
        if failed := [each for each in served if each.step]:
            kind = EMPTY
            if failed[0].reply.trouble:
                kind = UNTRUSTED if failed[0].reply.trouble == "certificate" else SILENT
            if kind is not EMPTY or len(failed) == len(served):
                images = ", ".join(dict.fromkeys(each.image for each in failed))
                why = verdict.why(failed[0])
                yield kind.found(host=one.host, url=one.url, images=images, why=why)


def _served(have: Facts) -> tuple[Served, ...]:
    return have.probe.served if have.probe else ()


def known(want: Want, have: Facts) -> bool | None:
    """Whether it can be told; None where the site has no cache."""
    return have.docker_runs if want.caches else None
