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
    "make a new one at GitLab, and remove the runner's [[runners]] entry from {config}; bootstrap then "
    "registers it anew",
)
KINDS = (ENDS, ENDED)


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
