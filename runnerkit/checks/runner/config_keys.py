"""config.toml has only keys that gitlab-runner knows: it passes over others without a word."""

from collections.abc import Iterator, Mapping
from typing import Any

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.checks.runner import managers
from runnerkit.errors import nearest
from runnerkit.facts import Facts, Needs
from runnerkit.files import config_toml
from runnerkit.redact import mask, plain
from runnerkit.settings import known_keys
from runnerkit.want import Want

LINTS = (19, 3)  # the first gitlab-runner that has `lint`
SHOWN = 5
LINT = Kind(
    "config-lint",
    Level.ERROR,
    "gitlab-runner finds fault with {config}: {faults}",
    "correct it there, or the keys of the settings that it comes from",
)
UNKNOWN = Kind(
    "config-unknown-key",
    Level.NOTE,
    "{config} has keys that gitlab-runner does not know, and passes over: {keys}",
    "correct them there, or take them out; a table's heading above them may be missing",
)
KINDS = (LINT, UNKNOWN)


def needs(want: Want) -> Needs:
    return Needs(files=(want.config,), manager=True)


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    """By the program's own word where it has one, else by the kit's list of keys."""
    data = config_toml.parsed(want, have)
    if have.probe and have.probe.lint and managers.runs(want, have):
        yield LINT.found(config=want.config, faults=faults(have.probe.lint))
    elif want.numbers < LINTS:
        known = {**known_keys.MANAGER, "runners": known_keys.RUNNER}
        if found := list(dict.fromkeys(_unknown(data, known)))[:SHOWN]:
            yield UNKNOWN.found(config=want.config, keys=", ".join(found))


def faults(output: str) -> str:
    """What `lint` finds, in a line."""
    lines = [line.strip() for line in mask(plain(output)).splitlines() if line.strip()]
    marked = [line for line in lines if line.startswith("ERROR")]
    return " | ".join((marked or lines)[:SHOWN])


def _unknown(data: Mapping[str, Any], known: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """As the program reads keys: in any case."""
    kinds = {key.lower(): kind for key, kind in known.items()}
    for key, value in data.items():
        if (kind := kinds.get(key.lower())) is None:
            yield f"{path}{key}{nearest(key, known)}"
        elif isinstance(kind, Mapping) and kind:
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, Mapping):
                    yield from _unknown(one, kind, f"{path}{key}.")
