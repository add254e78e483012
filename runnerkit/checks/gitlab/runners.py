"""What the settings say of a registered runner, and the kit can neither set nor see."""

from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs
from runnerkit.files import change_over, config_toml
from runnerkit.want import Want

OTHER_TOKEN = Kind(
    "runner-other-token",
    Level.NOTE,
    "runner {runner} has another token on the host than {source} gives; whether that is valid, GitLab was not "
    "asked, or did not say",
    "./inv plan asks, from this machine, which must reach {url}: to another runner's valid token bootstrap "
    "changes the runner over",
)
RENEWED = Kind(
    "runner-token-renewed",
    Level.NOTE,
    "the token that {source} gives for runner {runner} is no longer valid: the host has a newer one, which "
    "the manager or somebody else renewed",
    "nothing is to be done on the host; put the token of its entry in {config} into {source}, or another "
    "runner's to change over",
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
KINDS = (OTHER_TOKEN, RENEWED, UNSEEN, SET_ONCE, UNSET)


def needs(want: Want) -> Needs:
    return Needs(files=(want.config,))


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    """What is not as the settings say, and not the kit's to change."""
    other = {runner.key for _, runner in change_over.differing(want, have)}
    for runner in want.runners:
        joined = config_toml.entry_index(want, have, runner) is not None
        if runner.key in other and not have.tokens.get(runner.key):
            kind = RENEWED if runner.key in have.tokens else OTHER_TOKEN
            source = runner.spec.token or "the settings"
            yield kind.found(runner=runner.key, source=source, config=want.config, url=want.url)
        if not (keys := ", ".join(sorted(runner.at_gitlab))):
            continue
        if want.api and joined and runner.key not in {*have.server, *other}:
            yield UNSEEN.found(keys=keys, runner=runner.key)
        elif not want.api and joined and runner.registration_token:
            yield SET_ONCE.found(keys=keys, runner=runner.key)
        elif not want.api and not runner.registration_token:
            yield UNSET.found(keys=keys, runner=runner.key)
