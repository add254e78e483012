"""Why a host does not work: everything that is checked, and what could not be told."""

from dataclasses import dataclass, replace
from time import monotonic

from runnerkit import converge
from runnerkit.checks import gitlab_answers
from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.errors import KitError
from runnerkit.events import Phase
from runnerkit.facts import Facts
from runnerkit.fleet.bootstrap import wants
from runnerkit.fleet.groups import ROWS, Row
from runnerkit.fleet.host import Host
from runnerkit.fleet.probing import LIMIT as LIMIT_OF_ALL
from runnerkit.fleet.probing import Probing, beside
from runnerkit.fleet.run import Fleet, Outcome
from runnerkit.fleet.status import Alone, with_gitlab
from runnerkit.want import Want

LIMIT = 30.0  # seconds that a host is waited for
PATIENCE = 6  # seconds that its Docker is
REACHED = "login and sudo"
SLOW = "see how GitLab fares, and the way there from this machine"
UNSEEN = Kind("host-unreached", Level.ERROR, "{why_the_kit_cannot_look}", "{fix}")
SUDO = Kind("sudo-refused", Level.ERROR, "{why_the_kit_cannot_look}", "{fix}")
API = Kind("gitlab-api", Level.ERROR, "{what_GitLab_says}", "{fix}")
UNTOLD = Kind("unknown", Level.ERROR, "{what}", "{fix}")
KINDS = (UNSEEN, SUDO, API, UNTOLD)


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


def doctor(fleet: Fleet, pre: bool = False) -> list[Outcome[Diagnosis]]:
    """Look at every host from its own point of view.

    Args:
        fleet: the hosts.
        pre: whether they are blank: what bootstrap brings is not missed.
    """
    rows = [one for one in ROWS if one.when in ("both", "before" if pre else "after")]

    def work(host: Host, wanted: Want) -> Diagnosis:
        begun = monotonic()
        try:
            alone = converge.look(Alone(host), wanted, [one.check for one in rows], PATIENCE)
        except KitError as error:
            kind = SUDO if "sudo" in error.what else UNSEEN
            found = kind.found(why_the_kit_cannot_look=error.what, fix=error.fix)
            return Diagnosis((Verdict("host", REACHED, (found,), known=False),))
        host.tell(Phase("asking GitLab and registries"))
        return diagnosed(wanted, *_asked(host, wanted, alone, begun, pre), rows)

    known, token = wants(fleet, empty=True)
    return fleet.each(known, work, token, limit=LIMIT)


def _asked(
    host: Host, want: Want, alone: Facts, begun: float, pre: bool
) -> tuple[Facts, KitError | None]:
    """The facts with what servers answer the host, and GitLab's API us; and why that did not."""
    probing = Probing(host.machine, want, alone, begun)
    server: list[Facts] = []
    failure = KitError(f"{want.url}: the API gave no answer within {LIMIT_OF_ALL:.0f} s", SLOW)
    failures = [failure] if want.api and not pre else []

    def api() -> None:
        try:
            server.append(with_gitlab(host, want, alone))
            failures.clear()
        except KitError as error:
            failures[:] = [error]

    beside([*probing.calls(pre), *([api] if want.api and not pre else [])])
    have = probing.facts
    if server and have.probe:
        probe = replace(have.probe, api=True)
        have = replace(have, key=server[0].key, server=server[0].server, probe=probe)
    return have, failures[0] if failures else None


def diagnosed(want: Want, have: Facts, failure: KitError | None, rows: list[Row]) -> Diagnosis:
    """What these checks say of the host; `failure` is why GitLab's API told nothing."""
    verdicts = [Verdict("host", REACHED)]
    causes = set[str]()
    verdicts += filter(None, [_verdict(row, want, have, causes) for row in rows])
    if failure and failure.what not in causes:
        found = API.found(what_GitLab_says=failure.what, fix=failure.fix)
        told = gitlab_answers.answers(have)
        verdicts.append(Verdict("gitlab", "GitLab's API", (found,) if told else (), known=False))
    groups = list(dict.fromkeys(row.group for row in rows))
    return Diagnosis(tuple(sorted(verdicts, key=lambda one: groups.index(one.group))))


def _verdict(row: Row, want: Want, have: Facts, causes: set[str]) -> Verdict | None:
    """What a check found; `causes` are what was found before it, and is not said again."""
    known = row.known(want, have)
    if known is None:
        return None
    found: tuple[Finding, ...] = ()
    try:
        found = tuple(row.check.findings(want, have)) if known else ()
    except KitError as error:
        known = False
        if error.what not in causes:
            found = (UNTOLD.found(what=error.what, fix=error.fix),)
    causes |= {one.what for one in found}
    return Verdict(row.group, row.title, found, known)
