"""Why a host does not work: everything that is checked, and what could not be told."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from time import monotonic

from runnerkit import converge
from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.checks.network import gitlab_answers
from runnerkit.errors import KitError
from runnerkit.events import Phase
from runnerkit.facts import Facts
from runnerkit.facts.probe import Served
from runnerkit.fleet.bootstrap import wants
from runnerkit.fleet.health.groups import ROWS, Row
from runnerkit.fleet.health.probing import Probing, beside
from runnerkit.fleet.health.rehearsal import LONGEST, Subject, rehearsed
from runnerkit.fleet.health.status import UNTOLD, Alone, with_gitlab
from runnerkit.fleet.host import Host
from runnerkit.fleet.run import Fleet, Outcome
from runnerkit.plan import Change
from runnerkit.want import Want

LIMIT = 60.0  # seconds that a host is waited for; what it is asked has limits of its own
PATIENCE = 6  # seconds that its Docker is
REACHED = "login and sudo"
SLOW = "see how GitLab fares, and the way there from this machine"
UNSEEN = Kind("host-unreached", Level.ERROR, "{why_the_kit_cannot_look}", "{fix}")
SUDO = Kind("sudo-refused", Level.ERROR, "{why_the_kit_cannot_look}", "{fix}")
API = Kind("gitlab-api", Level.ERROR, "{what_GitLab_says}", "{fix}")
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
    """All verdicts on a host, in the order of the groups; `changes` are what bootstrap would do there,
    of a blank one."""

    verdicts: tuple[Verdict, ...]
    changes: tuple[Change, ...] = ()

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

    asking = (*(one.check for one in rows), *(converge.STEPS if pre else ()))

    def work(host: Host, wanted: Want) -> Diagnosis:
        begun = monotonic()
        try:
            alone = converge.look(Alone(host), wanted, asking, PATIENCE)
        except KitError as error:
            kind = SUDO if "sudo" in error.what else UNSEEN
            found = kind.found(why_the_kit_cannot_look=error.what, fix=error.fix)
            return Diagnosis((Verdict("host", REACHED, (found,), known=False),))
        host.tell(Phase("asking GitLab and registries"))
        questions = Questions(host, wanted, alone, begun)
        have = questions.answers(pre, rehearsal and not pre)
        diagnosis = diagnosed(wanted, have, questions.failure, rows)
        return replace(diagnosis, changes=_changes(wanted, have)) if pre else diagnosis

    known, token = wants(fleet, empty=True)
    return fleet.each(known, work, token, limit=LIMIT + LONGEST * rehearsal)


class Questions:
    """What is asked of others about one host; `failure` is why GitLab's API told nothing.

    Args:
        host: the host.
        want: what it should be.
        alone: what it told itself.
        begun: when it was looked at, by our monotonic clock.
    """

    def __init__(self, host: Host, want: Want, alone: Facts, begun: float) -> None:
        self._host, self._want, self._alone = host, want, alone
        self._probing = Probing(host.machine, want, alone, begun)
        self._server: Facts | None = None
        self.failure: KitError | None = None

    def answers(self, pre: bool, rehearsal: bool) -> Facts:
        """The facts with what servers answer the host, GitLab's API us, and jobs' containers."""
        calls = self._probing.calls(pre)
        if self._want.api and not pre:
            self.failure = KitError(f"{self._want.url}: its API gave no answer in time", SLOW)
            calls.append(self._api)
        with ThreadPoolExecutor(2) as pool:
            asking = pool.submit(beside, calls)
            mirrors = pool.submit(self._host.mirror_side.examined, self._want, self._alone)
            seen = rehearsed(self._host, self._want, self._alone) if rehearsal else self._alone
            asking.result()
            offers = self._offers(mirrors)
        probe = self._probing.probe
        if self._server:
            probe = replace(probe, api=True)
        have = self._server or self._alone
        return replace(have, probe=probe, rehearsals=seen.rehearsals, offers=offers)

    def _offers(self, mirrors: Future[Facts]) -> tuple[Served, ...]:
        """What mirrors serve, where they choose themselves."""
        try:
            return mirrors.result().offers
        except KitError:  # sshd does not forward, which a check tells, or the connection broke
            return ()

    def _api(self) -> None:
        try:
            self._server = with_gitlab(self._host, self._want, self._alone)
            self.failure = None
        except KitError as error:
            self.failure = error


def diagnosed(want: Want, have: Facts, failure: KitError | None, rows: list[Row]) -> Diagnosis:
    """What these checks say of the host; `failure` is why GitLab's API told nothing."""
    verdicts = [Verdict("host", REACHED)]
    causes = set[str]()
    verdicts += filter(None, [_verdict(row, want, have, causes) for row in rows])
    if failure and failure.what not in causes:
        found = API.found(what_GitLab_says=failure.what, fix=failure.fix)
        new = gitlab_answers.answers(have)  # else the host's own answer says it already
        verdicts.append(Verdict("gitlab", "GitLab's API", (found,) if new else (), known=False))
    groups = list(dict.fromkeys(row.group for row in rows))
    return Diagnosis(tuple(sorted(verdicts, key=lambda one: groups.index(one.group))))


def _changes(want: Want, have: Facts) -> tuple[Change, ...]:
    try:
        return tuple(converge.plan(want, have))
    except KitError:  # a check has its reason
        return ()


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
