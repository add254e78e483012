"""GitLab's API shows the kit the host's runners."""

from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.checks.gitlab import acceptance
from runnerkit.facts import Facts, Needs
from runnerkit.files import config_toml
from runnerkit.want import Want

BLIND = Kind(
    "api-token-blind",
    Level.NOTE,
    "GITLAB_TOKEN does not see runner {name}: whether it is paused, locked or offline is not known",
    "give the token scope manage_runner (or api), of an owner of what the runner is for",
)
KINDS = (BLIND,)


def needs(want: Want) -> Needs:
    return Needs(files=(want.config,), manager=True)


def known(want: Want, have: Facts) -> bool | None:
    """Whether it answered; None where there is no token for it."""
    return bool(have.probe and have.probe.api) if want.api else None


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    entries = config_toml.parsed(want, have).get("runners", [])
    accepted = acceptance.accepted(want, have)
    for runner in want.runners:
        index = config_toml.entry_index(want, have, runner)
        if index is None or runner.key in have.server:
            continue
        if (name := entries[index].get("name", runner.key)) in accepted:
            yield BLIND.found(name=name)
