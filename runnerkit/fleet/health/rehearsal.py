"""Jobs' containers started on a host, without jobs, for what only they can tell."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from runnerkit.checks.finding import Finding, Kind
from runnerkit.checks.jobs import rehearsal
from runnerkit.errors import KitError
from runnerkit.facts import Facts, Needs, job_options
from runnerkit.facts.attempt import host_of, verdict
from runnerkit.facts.rehearsal import LIMIT, METADATA, Rehearsal, parse, script
from runnerkit.fleet.host import Host
from runnerkit.want import Want

LONGEST = LIMIT + 5.0  # seconds that all of it takes at most


def rehearsed(host: Host, want: Want, have: Facts) -> Facts:
    """The facts, with what these containers told: all of them side by side."""
    try:
        cases = job_options.cases(want, have) if have.docker_runs else ()
    except KitError:  # of config.toml, which others tell
        return have
    if not cases:
        return have
    try:
        return replace(have, rehearsals=parse(host.look(script(cases)), cases))
    except KitError as error:
        failed = tuple(Rehearsal(case, code=-1, error=error.what) for case in cases)
        return replace(have, rehearsals=failed)


# What doctor has a line for.
_SUBJECTS: Mapping[str, tuple[Kind, ...]] = {
    "images start as jobs, with a shell": rehearsal.STARTS,
    "names are resolved in containers": (rehearsal.DNS,),
    "containers reach GitLab": (rehearsal.UNREACHED, rehearsal.CLONE_URL),
    "containers accept GitLab's certificate": (rehearsal.CERTIFICATE,),
    "sources have room": (rehearsal.DISK, rehearsal.READ_ONLY),
    "containers and the cloud's metadata address": (rehearsal.OPEN, rehearsal.REACHED),
}


class Subject:
    """One subject of the rehearsals as a check of its own, for its line."""

    def __init__(self, title: str, kinds: tuple[Kind, ...]) -> None:
        self.title, self._kinds = title, kinds

    def needs(self, want: Want) -> Needs:
        return rehearsal.needs(want)

    def findings(self, want: Want, have: Facts) -> Iterator[Finding]:
        codes = {kind.code for kind in self._kinds}
        yield from (one for one in rehearsal.findings(want, have) if one.code in codes)

    def known(self, _: Want, have: Facts) -> bool | None:
        told = _known(have, self._kinds)
        return None if not told and have.rehearsals and not self._concerns(have) else told

    def _concerns(self, have: Facts) -> bool:
        """Whether it is of any address that jobs have: a certificate of https, a name of no number."""
        urls = [url for one in have.rehearsals for _, url in one.case.addresses]
        if rehearsal.CERTIFICATE in self._kinds:
            return any(url.startswith("https:") for url in urls)
        named = (re.search("[a-z]", host_of(url)) for url in urls)
        return rehearsal.DNS not in self._kinds or any(named)


SUBJECTS = tuple(Subject(title, kinds) for title, kinds in _SUBJECTS.items())


def _known(have: Facts, kinds: tuple[Kind, ...]) -> bool:
    """Whether the containers told enough for findings of these kinds."""
    return any(kinds is rehearsal.STARTS or _tells(one, kinds) for one in have.rehearsals)


def _tells(one: Rehearsal, kinds: tuple[Kind, ...]) -> bool:
    if rehearsal.DISK in kinds:
        return one.free_kb is not None
    if rehearsal.OPEN in kinds:
        return METADATA in one.attempts and verdict(one.attempts[METADATA]) != ""
    told = one.attempts
    answers = {url: told[name] for name, url in one.case.addresses if name in told}
    if rehearsal.CERTIFICATE in kinds:
        able = [url for url, one in answers.items() if one.tool in ("curl", "python3")]
        return any(url.startswith("https:") for url in able) or "untrusted" in map(
            verdict, answers.values()
        )
    if rehearsal.DNS in kinds:
        answers = {url: one for url, one in answers.items() if re.search("[a-z]", host_of(url))}
    return any(map(verdict, answers.values()))
