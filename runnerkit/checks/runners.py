"""What the settings say of a registered runner, and the kit can neither set nor see."""

from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs
from runnerkit.files import config_toml
from runnerkit.want import Want

OTHER_TOKEN = Kind(
    "runner-other-token",
    Level.NOTE,
    "runner {runner} is registered on the host with another token than the one given",
    "to change over, remove its [[runners]] entry from {config}",
)
UNSEEN = Kind(
    "runner-unseen",
    Level.NOTE,
    "{keys} of runner {runner} are GitLab's to keep: GITLAB_TOKEN does not see the runner",
    "give it scope manage_runner to have them checked",
)
SET_ONCE = Kind(
    "runner-set-once",
    Level.NOTE,
    "{keys} of runner {runner} are GitLab's to keep: registering set them once",
    "give GITLAB_TOKEN to have them checked",
)
UNSET = Kind(
    "runner-unset",
    Level.NOTE,
    "{keys} of runner {runner} are GitLab's to keep: a glrt- token cannot set them",
    "give GITLAB_TOKEN to have them set and checked",
)
KINDS = (OTHER_TOKEN, UNSEEN, SET_ONCE, UNSET)


def needs(want: Want) -> Needs:
    return Needs(files=(want.config,))


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    """What is not as the settings say, and not the kit's to change."""
    entries = config_toml.parsed(want, have).get("runners", [])
    for runner in want.runners:
        index = config_toml.entry_index(want, have, runner)
        joined, token = index is not None, runner.token
        if token and index is not None and entries[index].get("token") != token.reveal():
            yield OTHER_TOKEN.found(runner=runner.key, config=want.config)
        if not (keys := ", ".join(sorted(runner.at_gitlab))):
            continue
        if want.api and joined and runner.key not in have.server:
            yield UNSEEN.found(keys=keys, runner=runner.key)
        elif not want.api and joined and runner.registration_token:
            yield SET_ONCE.found(keys=keys, runner=runner.key)
        elif not want.api and not runner.registration_token:
            yield UNSET.found(keys=keys, runner=runner.key)
