"""What the kit remembers of a host, and what of that others have changed."""

from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs
from runnerkit.files import daemon_json, memory, removals
from runnerkit.want import Want

STAYS = Kind(
    "key-stays",
    Level.NOTE,
    "{keys} of {path} left the settings, and stays: somebody has changed it on the host",
    "take it out there, if nobody needs it",
)
DAMAGED = Kind(
    "memory-damaged",
    Level.NOTE,
    "what the kit wrote last cannot be read from {path}: nothing that leaves the settings goes now",
    "bootstrap writes it anew, of the settings as they are then",
)
KINDS = (STAYS, DAMAGED)


def needs(want: Want) -> Needs:
    return Needs(files=(want.config, daemon_json.PATH, memory.PATH))


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    if memory.damaged(have):
        yield DAMAGED.found(path=memory.PATH)
    removal = removals.config(want, have)
    config = [removal.whole, *removal.of.values()]
    for path, parts in ((daemon_json.PATH, [removals.daemon(want, have)]), (want.config, config)):
        if keys := [".".join(way) for one in parts for way in one.stays]:
            yield STAYS.found(keys=", ".join(keys), path=path)
