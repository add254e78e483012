"""The tokens of config.toml are runners' own, of the kind that stays."""

import re
from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs
from runnerkit.files import config_toml
from runnerkit.settings.tokens import WRONG_KIND
from runnerkit.want import Want

OTHER = Kind(
    "token-of-other-kind",
    Level.ERROR,
    "the token of runner {name} on the host is {kind}",
    "remove its [[runners]] entry from {config}, and bootstrap anew with a glrt- token from GitLab",
)
OLD = Kind(
    "token-of-old-kind",
    Level.NOTE,
    "runner {name} was registered by a registration token, which GitLab 20 no longer takes",
    "it works on; make a runner with a glrt- token at GitLab before you next register a host",
)
KINDS = (OTHER, OLD)


def needs(want: Want) -> Needs:
    return Needs(files=(want.config,))


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    for entry in config_toml.parsed(want, have).get("runners", []):
        token, name = str(entry.get("token", "")), entry.get("name", "without a name")
        kinds = {prefix: kind for prefix, kind in WRONG_KIND.items() if prefix != "glrt-"}
        kind = next((kinds[prefix] for prefix in kinds if token.startswith(prefix)), "")
        if kind or not token:
            what = kind.partition(":")[0].partition(",")[0] or "empty"
            yield OTHER.found(name=name, kind=what, config=want.config)
        elif re.fullmatch(r"[\w-]{20}", token) and not token.startswith("gl"):
            yield OLD.found(name=name)
