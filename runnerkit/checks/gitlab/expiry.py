"""Tokens of runners that end: an instance's administrators may have them expire."""

from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs
from runnerkit.files import config_toml
from runnerkit.images.content import instant
from runnerkit.want import Want

SOON = 14 * 24 * 3600  # seconds
ENDS = Kind(
    "token-ends",
    Level.NOTE,
    "the token of runner {name} ends on {date}",
    "the manager renews it by itself where it runs then, but only its own: a token that several hosts "
    "share must be put on all of them",
)
ENDED = Kind(
    "token-ended",
    Level.ERROR,
    "the token of runner {name} ended on {date}",
    "make a new one at GitLab and put it into the settings: bootstrap changes the runner over to it; where "
    "the settings name none, remove the runner's [[runners]] entry from {config}, and bootstrap registers it",
)
SHARED = Kind(
    "token-shared-ends",
    Level.NOTE,
    "{hosts} hosts share the token of runner {name}, and GitLab ends it on {date}: the first manager "
    "to renew it puts the others out",
    "give gitlab.api_token in its place, so that each host has a runner of its own; or set "
    "settings.feature_flags.FF_DISABLE_AUTOMATIC_TOKEN_ROTATION = true of the runner, and put a new "
    "token on all of them before that day",
)
KEEPS = "FF_DISABLE_AUTOMATIC_TOKEN_ROTATION"
KINDS = (ENDS, ENDED, SHARED)


def needs(want: Want) -> Needs:
    return Needs(files=(want.config,))


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    """By the host's own clock."""
    for entry in config_toml.parsed(want, have).get("runners", []):
        end = str(entry.get("token_expires_at", ""))
        if (
            seconds := instant(end)
        ) <= 0 or not have.now:  # the program's word for never is a year 1
            continue
        name, date = entry.get("name", "without a name"), end[:10]
        if seconds < have.now:
            yield ENDED.found(name=name, date=date, config=want.config)
        elif seconds < have.now + SOON:
            yield ENDS.found(name=name, date=date)
    yield from _shared(want, have)


def _shared(want: Want, have: Facts) -> Iterator[Finding]:
    """Tokens of several hosts, which every manager would renew for itself at 75 % of their time."""
    entries = config_toml.parsed(want, have).get("runners", [])
    for runner in want.runners:
        index = config_toml.entry_index(want, have, runner)
        if runner.hosts < 2 or index is None:
            continue
        known, entry = have.server.get(runner.key), entries[index]
        # Another token, or none, where there is another way to one: each host may have its own.
        other = runner.token and entry.get("token") != runner.token.reveal()
        if other or (not runner.token and (want.api or runner.registration_token)):
            continue
        end = (known and known.token_expires_at) or str(entry.get("token_expires_at", ""))
        if instant(end) > 0 and not (entry.get("feature_flags") or {}).get(KEEPS):
            yield SHARED.found(
                hosts=runner.hosts, name=entry.get("name", runner.key), date=end[:10]
            )
