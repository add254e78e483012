"""Many hosts side by side: every one finishes, and one outcome each is left to report."""

import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any

from runnerkit import converge, password, want
from runnerkit.errors import KitError
from runnerkit.facts import Facts
from runnerkit.host import Host
from runnerkit.machine import Machine, local_context
from runnerkit.plan import Change
from runnerkit.secrets import Secret
from runnerkit.settings import Settings
from runnerkit.steps import fleeting, proof, registration
from runnerkit.targets import Target
from runnerkit.want import Want

AT_ONCE = 20
Say = Callable[[str, str], None]  # the host's name, and where it is


@dataclass
class Outcome:
    """What became of a host; `error` is "" where all is well."""

    host: str
    changes: list[Change] = field(default_factory=list)
    runners: list[str] = field(default_factory=list)
    images: list[dict[str, Any]] = field(default_factory=list)
    pruned: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list)
    error: str = ""
    fix: str = ""
    seconds: float = 0.0
    execs: int = 0


def bootstrap(targets: list[Target], settings: Settings, accept: bool, say: Say) -> list[Outcome]:
    """Converge every host, then prove that GitLab accepts its runners."""

    def work(host: Host, wanted: Want, outcome: Outcome) -> None:
        _, have = converge.apply(host, wanted, progress(outcome, say))
        outcome.runners = proof.accepted(wanted, have)
        outcome.notes = _notes(wanted, have)

    wants, token = _wants(targets, settings)
    return each(targets, settings, wants, accept, say, work, token)


def plan(targets: list[Target], settings: Settings, accept: bool, say: Say) -> list[Outcome]:
    """What bootstrap would change on every host."""

    def work(host: Host, wanted: Want, outcome: Outcome) -> None:
        have: Facts = converge.look(host, wanted)
        outcome.changes = converge.plan(wanted, have)
        outcome.notes = _notes(wanted, have)

    wants, token = _wants(targets, settings)
    return each(targets, settings, wants, accept, say, work, token)


def _notes(wanted: Want, have: Facts) -> list[str]:
    """What is not as the settings say, and not the kit's to change."""
    return [*registration.unmanaged(wanted, have), *fleeting.absent(wanted, have)]


def progress(outcome: Outcome, say: Say) -> converge.Progress:
    """Tell each change, and keep it for the report."""

    def begun(change: Change, number: int, total: int) -> None:
        say(outcome.host, f"[{number}/{total}] {change.title}")
        outcome.changes.append(change)

    return begun


def each(
    targets: list[Target],
    settings: Settings,
    wants: dict[str, Want],
    accept: bool,
    say: Say,
    work: Callable[[Host, Want, Outcome], None],
    token: Secret | None = None,
) -> list[Outcome]:
    """Do one work on every host side by side.

    Args:
        targets: the hosts.
        settings: how they are reached.
        wants: what each should be, by its name.
        accept: whether an SSH host key seen for the first time is accepted.
        say: told where each host is.
        work: what is done; it fills in the outcome.
        token: GitLab's API token, where the work needs one.
    """
    working: list[Host] = []

    def one(target: Target) -> Outcome:
        outcome, start = Outcome(target.name), monotonic()
        host = None
        try:
            say(target.name, "connecting")
            machine = Machine(_context(target, settings, accept), target.password)
            host = Host(machine, token, lambda line: say(target.name, f"  {line}"))
            working.append(host)
            work(host, wants[target.name], outcome)
        except KitError as error:
            outcome.error, outcome.fix = error.what, error.fix
        except Exception as error:  # a bug of the kit's; the other hosts still finish
            last = traceback.extract_tb(error.__traceback__)[-1]
            outcome.error = f"{type(error).__name__}: {error} ({last.name}:{last.lineno})"
            outcome.fix = "this is a bug in runnerkit: please report it with this line"
        finally:
            if host:
                outcome.execs = host.machine.execs
                host.close()
        outcome.seconds = monotonic() - start
        return outcome

    pool = ThreadPoolExecutor(min(AT_ONCE, len(targets)))
    try:
        return list(pool.map(one, targets))
    except KeyboardInterrupt:
        for host in working:  # their threads end with their connections, and so does the lock
            host.close()
        ended = KitError("interrupted", "run again: it goes on from where it was", 130)
        password.interrupted(ended)
        raise ended from None
    finally:
        pool.shutdown(cancel_futures=True)


def _wants(targets: list[Target], settings: Settings) -> tuple[dict[str, Want], Secret | None]:
    _one_master({*settings.hosts, *(target.name for target in targets)}, settings)
    wants = {target.name: want.resolve(settings, target.name) for target in targets}
    token = settings.gitlab.api_token.read() if settings.gitlab.api_token else None
    token = want.check(token, "glpat-", "GITLAB_TOKEN")
    if token is None:  # its source is named, but empty: the other ways to register are left
        wants = {name: replace(wanted, api=False) for name, wanted in wants.items()}
    return wants, token


def _one_master(hosts: set[str], settings: Settings) -> None:
    """Two managers of one group of machines would remove each other's."""
    for key, runner in settings.runners.items():
        users = sorted(host for host in hosts if key in want.keys_of(settings, host))
        if runner.autoscaler and len(users) > 1:
            raise KitError(
                f"runners.{key} has an autoscaler, whose machines have one manager, not {', '.join(users)}",
                "let one host have it, by the runners of [hosts.NAME]; no host was touched",
            )


def _context(target: Target, settings: Settings, accept: bool) -> Any:
    if target.address == "local":
        return local_context()
    from runnerkit import ssh

    return ssh.connection(target.address, target.identity, settings.ssh.known_hosts, accept)
