"""Numbers of config.toml by which jobs wait although there is room: GitLab holds a request for 50 s.

GitLab Runner, docs/configuration/advanced-configuration.md, "Long polling issues".
"""

from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs
from runnerkit.files import config_toml
from runnerkit.want import Want

NONE = Kind(
    "concurrent-none",
    Level.ERROR,
    "concurrent is {concurrent} in {config}: gitlab-runner refuses to start",
    "set [manager] concurrent, then ./inv bootstrap --host HOST",
)
FEW = Kind(
    "concurrent-below-runners",
    Level.NOTE,
    "concurrent is {concurrent}, and there are {runners} runners: their requests wait for each other, "
    "50 s each",
    "set [manager] concurrent to {runners} or more",
)
NARROW = Kind(
    "limit-narrow",
    Level.NOTE,
    "runner {name} has limit {limit} and one request at a time: after a job it may wait for 50 s",
    "set settings.request_concurrency of the runner to 2, or leave limit out",
)
KINDS = (NONE, FEW, NARROW)


def needs(want: Want) -> Needs:
    return Needs(files=(want.config,))


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    data = config_toml.parsed(want, have)
    entries, concurrent = data.get("runners", []), data.get("concurrent", 1)
    if isinstance(concurrent, int) and concurrent < 1:
        yield NONE.found(concurrent=concurrent, config=want.config)
    elif isinstance(concurrent, int) and concurrent < len(entries):
        yield FEW.found(concurrent=concurrent, runners=len(entries))
    for entry in entries:
        limit, requests = entry.get("limit") or 0, entry.get("request_concurrency") or 1
        if 0 < limit <= 2 and requests == 1 < concurrent:
            yield NARROW.found(name=entry.get("name", "without a name"), limit=limit)
