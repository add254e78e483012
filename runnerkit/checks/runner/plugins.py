"""Files that an autoscaler names of the folder that the manager shares with the host are there."""

from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs
from runnerkit.settings import autoscaler
from runnerkit.want import Want

ABSENT = Kind(
    "autoscaler-file-absent",
    Level.NOTE,
    "the {key} of runner {runner}, {path}, is not there: no job can run before",
    "put it on the host as {place}",
)
KINDS = (ABSENT,)


def needs(want: Want) -> Needs:
    return Needs(paths=tuple(place for *_, place in _named(want)))


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    """Files that were to be put on the host by hand."""
    for key, runner, path, place in _named(want):
        if place not in have.paths:
            yield ABSENT.found(key=key, runner=runner, path=path, place=place)


def _named(want: Want) -> Iterator[tuple[str, str, str, str]]:
    """A file's key, its runner, its path in the manager, and its place on the host."""
    for runner in want.runners:
        spec, inside = runner.spec.autoscaler, f"{autoscaler.SHARED}/"
        connector = spec.get("connector_config")
        key_path = connector.get("key_path") if isinstance(connector, dict) else None
        for key, path in (("plugin", spec.get("plugin")), ("key_path", key_path)):
            if isinstance(path, str) and path.startswith(inside):
                place = f"{want.manager.config_dir}/{path.removeprefix(inside)}"
                yield key, runner.key, path, place
