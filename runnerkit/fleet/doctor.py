"""Why a host does not work: everything that is checked, and what could not be told."""

from dataclasses import dataclass

from runnerkit import converge
from runnerkit.checks.finding import Finding, Level
from runnerkit.errors import KitError
from runnerkit.facts import Facts
from runnerkit.fleet.bootstrap import wants
from runnerkit.fleet.groups import ROWS, Row
from runnerkit.fleet.host import Host
from runnerkit.fleet.rehearsal import Subject, rehearsed
from runnerkit.fleet.run import Fleet, Outcome
from runnerkit.fleet.status import UNKNOWN, Alone, with_gitlab
from runnerkit.want import Want

LIMIT = 30.0  # seconds that a host is waited for
PATIENCE = 6  # seconds that its Docker is


@dataclass(frozen=True)
class Verdict:
    """What a check found; `known` is whether it could tell."""

    group: str
    title: str
    findings: tuple[Finding, ...] = ()
    known: bool = True


@dataclass(frozen=True)
class Diagnosis:
    """All verdicts on a host, in the order of the groups."""

    verdicts: tuple[Verdict, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(one for verdict in self.verdicts for one in verdict.findings)

    def count(self, level: Level) -> int:
        return sum(one.level is level for one in self.findings)


def doctor(fleet: Fleet, pre: bool = False, rehearsal: bool = True) -> list[Outcome[Diagnosis]]:
    """Look at every host from its own point of view.

    Args:
        fleet: the hosts.
        pre: whether they are blank: what bootstrap brings is not missed.
        rehearsal: whether jobs' containers are started, for what they see.
    """
    rows = [one for one in ROWS if one.when in ("both", "before" if pre else "after")]
    if pre or not rehearsal:
        rows = [one for one in rows if not isinstance(one.check, Subject)]

    def work(host: Host, wanted: Want) -> Diagnosis:
        have = converge.look(Alone(host), wanted, [one.check for one in rows], PATIENCE)
        if rehearsal and not pre:
            have = rehearsed(host, wanted, have)
        return diagnosed(host, wanted, have, rows)

    known, token = wants(fleet, empty=True)
    return fleet.each(known, work, token, limit=LIMIT)


def diagnosed(host: Host, want: Want, alone: Facts, rows: list[Row]) -> Diagnosis:
    """What these checks say of the host."""
    have, failure = alone, None
    try:
        have = with_gitlab(host, want, alone)
    except KitError as error:
        failure = error
    causes = set[str]()
    verdicts = [_verdict(row, want, have, causes) for row in rows]
    if failure and failure.what not in causes:
        found = Finding(UNKNOWN, Level.ERROR, failure.what, failure.fix)
        verdicts.append(Verdict("gitlab", "GitLab's API", (found,), known=False))
    groups = list(dict.fromkeys(row.group for row in rows))
    return Diagnosis(tuple(sorted(verdicts, key=lambda one: groups.index(one.group))))


def _verdict(row: Row, want: Want, have: Facts, causes: set[str]) -> Verdict:
    """What a check found; `causes` are what was found before it, and is not said again."""
    known = row.known(want, have)
    found: tuple[Finding, ...] = ()
    try:
        found = tuple(row.check.findings(want, have)) if known else ()
    except KitError as error:
        known = False
        if error.what not in causes:
            found = (Finding(UNKNOWN, Level.ERROR, error.what, error.fix),)
    causes |= {one.what for one in found}
    return Verdict(row.group, row.title, found, known)
