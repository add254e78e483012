"""Jobs' containers started on a host, without jobs, for what only they can tell."""

from collections.abc import Iterator
from dataclasses import replace

from runnerkit.checks import rehearsal
from runnerkit.checks.finding import Finding, Kind
from runnerkit.facts import Facts, Needs, job_options
from runnerkit.facts.rehearsal import parse, script
from runnerkit.fleet.host import Host
from runnerkit.want import Want


def rehearsed(host: Host, want: Want, have: Facts) -> Facts:
    """The facts, with what these containers told; all at once, each within 5 s.

    Raises:
        KitError: config.toml cannot be read, or the host did not answer.
    """
    cases = job_options.cases(want, have) if have.docker_runs else ()
    return replace(have, rehearsals=parse(host.look(script(cases)), cases)) if cases else have


class Subject:
    """One subject of the rehearsals as a check of its own, for its line."""

    def __init__(self, title: str, kinds: tuple[Kind, ...]) -> None:
        self.title, self._kinds = title, kinds

    def needs(self, want: Want) -> Needs:
        return rehearsal.needs(want)

    def findings(self, want: Want, have: Facts) -> Iterator[Finding]:
        codes = {kind.code for kind in self._kinds}
        yield from (one for one in rehearsal.findings(want, have) if one.code in codes)

    def known(self, _: Want, have: Facts) -> bool:
        return rehearsal.known(have, self._kinds)


SUBJECTS = tuple(Subject(title, kinds) for title, kinds in rehearsal.SUBJECTS.items())
