"""Runners that are on the host and in no settings: renamed ones, and what was typed before a file was."""

from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs
from runnerkit.files import config_toml, memory, removals
from runnerkit.want import Want

LEFT = Kind(
    "runner-left",
    Level.NOTE,
    "on the host, in no settings, and still taking jobs: {names}",
    "name it in the settings; or take it off, on the host: docker exec {container} gitlab-runner "
    "unregister --name NAME",
)
KINDS = (LEFT,)


def needs(want: Want) -> Needs:
    return Needs(files=(want.config, memory.PATH))


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    """The entries of config.toml that are none of the wanted runners."""
    going = removals.config(want, have).entries.values()
    if left := [one for one in config_toml.others(want, have) if one not in going]:
        names = ", ".join(f"{one.get('name', 'no name')} ({one.get('url')})" for one in left)
        yield LEFT.found(names=names, container=want.manager.container)
