"""Runners paused at GitLab, on all of their hosts, and resumed: by hand, or by a host at its time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from runnerkit import converge
from runnerkit.actions import resume as at_its_time
from runnerkit.errors import KitError
from runnerkit.facts import ServerRunner, pause
from runnerkit.facts.pause import LONGEST, Pause
from runnerkit.fleet.changes import seen
from runnerkit.fleet.run import Fleet, Outcome
from runnerkit.settings import durations, tokens
from runnerkit.settings.secrets import Secret
from runnerkit.want import Want

if TYPE_CHECKING:
    from runnerkit.gitlab.server import Server

SHORTEST, MOST = 60, 30 * 86400  # seconds


@dataclass(frozen=True)
class PausedRunner:
    """A runner at GitLab, what was done there, and whom that is about: hosts of this run, and managers
    that are on none of them."""

    key: str
    id: int
    change: str
    pause: Pause | None
    hosts: tuple[str, ...]
    others: tuple[str, ...]
    keeper: str = ""


@dataclass(frozen=True)
class Pauses:
    """What became of the hosts, and of the runners."""

    outcomes: list[Outcome[seen.Seen]]
    runners: tuple[PausedRunner, ...]


def stop(fleet: Fleet, runner: str, note: str, for_: str, dry: bool) -> Pauses:
    """Have runners take no jobs, on any of their hosts.

    Args:
        fleet: the hosts.
        runner: its key in the settings; "" for all.
        note: why; GitLab keeps it.
        for_: how long, as people write times; "" until somebody resumes it.
        dry: only tell what would be done.
    """
    known, token, server = seen.reached(fleet, runner)
    wanted = Pause(_note(note), _until(for_))
    ends = _resume_token(fleet) if for_ else None
    looked = seen.look(fleet, known, token)
    found = []
    for key, now, hosts in seen.runners(looked):
        change = "pause" if not now.paused else "change the pause"
        text = pause.laid_over(now.note, wanted)
        if len(text) > LONGEST:
            raise KitError(
                f"--note: {len(text) - LONGEST} letters more than GitLab keeps of runner #{now.id}'s note",
                "shorten it",
            )
        keeper = ""
        if not dry:
            if ends:
                keeper = _kept(fleet, known, looked, hosts, now, wanted, ends, server)
            server.update(now.id, {"paused": True, "maintenance_note": text})
        found.append(
            PausedRunner(key, now.id, change, wanted, *seen.whose(server, now, hosts), keeper)
        )
    return Pauses(looked, tuple(found))


def go_on(fleet: Fleet, runner: str, dry: bool) -> Pauses:
    """Have runners take jobs again.

    Args:
        fleet: the hosts.
        runner: its key in the settings; "" for all.
        dry: only tell what would be done.
    """
    known, token, server = seen.reached(fleet, runner)
    looked = seen.look(fleet, known, token)
    found = []
    for key, now, hosts in seen.runners(looked):
        before = pause.read(now.note)
        change = "resume" if now.paused else ""
        if not dry and (now.paused or before):
            server.update(now.id, {"paused": False, "maintenance_note": pause.without(now.note)})
        if not dry and before and before.until:
            _on(fleet, known, looked, [*hosts], at_its_time.Left(now.id))
        found.append(PausedRunner(key, now.id, change, before, *seen.whose(server, now, hosts)))
    return Pauses(looked, tuple(found))


def _note(text: str) -> str:
    if not text.isprintable():
        raise KitError(
            "--note is more than a line, or has a control character", "write it in one line"
        )
    return text.strip()


def _until(text: str) -> str:
    """The end of that time from now, as GitLab writes times; "" for none."""
    if not text:
        return ""
    seconds = durations.parsed(text, durations.SECONDS)
    if seconds is None or not SHORTEST <= seconds <= MOST:
        raise KitError(
            f"--for {text}: no time from a minute to 30 days", "write it as 30m, 2h or 1d 12h"
        )
    return f"{datetime.now(UTC) + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


def _resume_token(fleet: Fleet) -> Secret:
    source = fleet.settings.gitlab.resume_token
    token = tokens.check(source.read() if source else None, "glpat-", "gitlab.resume_token")
    if source and token is None:
        raise KitError(
            f"--for: gitlab.resume_token is not there: {source} gives none",
            "put it there; or leave --for out, and ./inv runner.resume ends the pause",
        )
    if token is None:
        raise KitError(
            "--for: GitLab ends no pause by itself, and no token is given with which a host may do so",
            "give gitlab.resume_token, with the scope manage_runner alone: docs/en/changes.md tells the "
            "price; or leave --for out, and ./inv runner.resume ends the pause",
        )
    return token


def _kept(
    fleet: Fleet,
    known: Mapping[str, Want],
    looked: list[Outcome[seen.Seen]],
    hosts: Mapping[str, seen.Seen],
    now: ServerRunner,
    wanted: Pause,
    token: Secret,
    server: "Server",
) -> str:
    """The host that ends the pause: the first with systemd. The timer is there before the pause is."""
    from runnerkit.gitlab.server import Server

    able = [host for host, one in hosts.items() if one.systemd]
    if not able:
        raise KitError(
            f"--for: no host of runner #{now.id} has systemd, whose timer would end the pause",
            "leave --for out; ./inv runner.resume ends the pause",
        )
    # May they do so? Said now: before a token lies there, and not when nobody looks.
    name = "gitlab.resume_token"
    for asked in (server, Server(server.url, token, name, server.ca)):
        asked.update(now.id, {"maintenance_note": now.note})
    step = at_its_time.Resume(now.id, wanted, pause.without(now.note), token)
    _on(fleet, known, looked, able[:1], step)
    (outcome,) = (one for one in looked if one.host == able[0])
    if outcome.error:
        raise KitError(f"{able[0]}: {outcome.error}; nothing was paused", outcome.fix)
    return able[0]


def _on(
    fleet: Fleet,
    known: Mapping[str, Want],
    looked: list[Outcome[seen.Seen]],
    hosts: Sequence[str],
    step: converge.Step,
) -> None:
    """Do this on some of the hosts; their outcomes tell of it."""
    chosen = (one for one in fleet.targets if one.name in hosts)
    outcomes = {one.host: one for one in looked}
    work = fleet.only(*chosen).each(known, lambda host, want: converge.apply(host, want, (step,)))
    for done in work:
        one = outcomes[done.host]
        one.changes += done.changes
        one.error, one.fix = done.error, done.fix
