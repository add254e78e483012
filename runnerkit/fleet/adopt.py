"""Settings for hosts that somebody set up already: looked at, proposed, and proved by a plan."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from runnerkit import converge, resolve
from runnerkit.adoption import discovery, document, surroundings
from runnerkit.adoption.entry import Site
from runnerkit.adoption.gap import Gap
from runnerkit.adoption.hosts import propose
from runnerkit.adoption.proposal import API, Proposal
from runnerkit.errors import KitError
from runnerkit.fleet.host import Host
from runnerkit.fleet.run import Fleet, Outcome
from runnerkit.plan import Change
from runnerkit.settings import starter, tokens
from runnerkit.settings.secrets import Source
from runnerkit.settings.targets import Target
from runnerkit.want import Want, bare

UNASKED = Gap(
    f"tags and the like, which GitLab has: it was not asked, although {API} is set",
    "give --url as well: the token goes to no GitLab that only hosts name",
)


@dataclass(frozen=True)
class Adopted:
    """What the file calls a host and its runners, what it cannot say of it, and what is left to change."""

    name: str
    runners: tuple[str, ...]
    gaps: tuple[Gap, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Adoption:
    """What became of the hosts, and of the file; `variables` says where hosts have what each is to hold."""

    file: Path | None
    outcomes: list[Outcome[Adopted]]
    gaps: tuple[Gap, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)


def adopt(fleet: Fleet, file: Path) -> Adoption:
    """Write the settings that leave these hosts as they are.

    Args:
        fleet: the hosts; where its settings name a GitLab, theirs, whose API is asked if GITLAB_TOKEN
            is set. That of a GitLab which only hosts name is not: it would be given the token.
        file: where to, if nothing is there.

    Raises:
        KitError: there is a file already, or nothing can be written.
    """
    starter.absent(file)
    url = fleet.settings.gitlab.url
    secret = Source(env=API).read()
    token = tokens.check(secret, "glpat-", API) if url else None
    addresses = {target.name: target for target in fleet.targets}

    def work(host: Host, _: Want) -> Site:
        return _site(host, addresses[host.name], url, token is not None)

    nothing = resolve.of_images(fleet.settings, "")
    outcomes = fleet.each(dict.fromkeys(addresses, nothing), work, token)
    sites = [one.result for one in outcomes if one.result]
    if not sites:
        return Adoption(None, [_failed(one, one.error, one.fix) for one in outcomes])
    found = propose(sites, url, token is not None)
    if secret and not token:
        found.gaps.append(UNASKED)
    results = [_result(one, found) for one in outcomes]
    if not found.names:
        return Adoption(None, results, found.common_gaps)
    notes = {
        document.UNSAID: [
            *found.common_gaps,
            *(gap for one in results if one.result for gap in one.result.gaps),
        ],
        document.PENDING: list(_changes(results)),
        document.WITHOUT: [Gap(one.error, host=one.host) for one in results if one.error],
    }
    starter.write_new(file, document.text(found.data, found.references, notes))
    return Adoption(file, results, found.common_gaps, found.references.used(found.data))


def _site(host: Host, target: Target, url: str, api: bool) -> Site:
    """What is true of a host: first where its manager is, then what a plan for that must know."""
    place = discovery.find(host.look(discovery.script()))
    have = converge.look(host, replace(place.want, url=bare(url)))
    if have.dockerd and not have.docker_runs:
        raise KitError(
            "its Docker does not run, so that its containers are not known",
            "start it on the host: systemctl start docker; then init again",
        )
    site = Site(target.name, target.address, place, have)
    first = propose([site], url, api)
    if failure := first.without.get(target.name):
        raise failure
    have = converge.look(host, first.want(target.name), (*converge.STEPS, surroundings))
    by_key = {key: index for (_, index), key in first.keys.items()}
    return replace(
        site,
        have=replace(have, server={}),
        server={by_key[key]: known for key, known in have.server.items()},
    )


def _result(one: Outcome[Site], found: Proposal) -> Outcome[Adopted]:
    site = one.result
    if site is None or one.host in found.without:
        why = found.without.get(one.host)
        return _failed(one, *((why.what, why.fix) if why else (one.error, one.fix)))
    gaps = [gap for gap in found.gaps if gap.host == one.host]
    server = {found.keys[one.host, index]: known for index, known in site.server.items()}
    changes: tuple[Change, ...] = ()
    try:
        have = replace(site.have, server=server)
        changes = tuple(converge.plan(found.want(one.host), have))
    except KitError as error:
        gaps.append(Gap(f"plan fails: {error.what}", error.fix, one.host))
    result = Adopted(found.names[one.host], found.runners(one.host), tuple(gaps), changes)
    return Outcome(one.host, result, seconds=one.seconds, execs=one.execs)


def _failed(one: Outcome[Site], error: str, fix: str) -> Outcome[Adopted]:
    return Outcome(one.host, error=error, fix=fix, seconds=one.seconds, execs=one.execs)


def _changes(outcomes: Iterable[Outcome[Adopted]]) -> Iterator[Gap]:
    """What bootstrap would change, as the file's comments tell it."""
    for one in outcomes:
        for change in one.result.changes if one.result else ():
            yield Gap(change.title, host=one.host)
