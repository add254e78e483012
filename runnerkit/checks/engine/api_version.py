"""The host's engine and the manager's program speak a version of Docker's API that both know."""

import re
from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs
from runnerkit.want import Want

OLDEST = (1, 40)  # the least that the runner's own client speaks since 19.2: Docker 19.03
# The newest that a runner's client speaks, since which version of the runner: go.mod of its tags,
# and API versions of Docker's client as its own go.mod names it.
SPOKEN = (
    ((19, 2), (1, 55)),
    ((18, 9), (1, 51)),
    ((17, 11), (1, 47)),
    ((17, 5), (1, 44)),
    ((16, 3), (1, 43)),
    ((15, 10), (1, 42)),
    ((13, 9), (1, 41)),
)

# The least that an engine speaks, since which version of it: moby's daemon/config and api/common.go.
LEAST = (((29, 3), (1, 40)), ((29,), (1, 44)), ((25,), (1, 24)))

TOO_OLD = Kind(
    "engine-too-old",
    Level.ERROR,
    "Docker Engine {engine} is too old: it speaks API {api}, and the runner needs 1.40 (Docker 19.03)",
    "upgrade Docker on the host, then run again",
)
TOO_NEW = Kind(
    "engine-too-new",
    Level.ERROR,
    "gitlab-runner {runner} speaks Docker's API up to {api}, and Docker Engine {engine} only from "
    "{least} on: every job would fail",
    "name a [manager] image of {newer} or newer",
)
KINDS = (TOO_OLD, TOO_NEW)


def needs(want: Want) -> Needs:
    return Needs()


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    """What keeps the two from talking. Judged by API versions: a version may be any word."""
    engine = str(have.info.get("ServerVersion", ""))
    api, least = (str(have.version.get(key, "")) for key in ("ApiVersion", "MinAPIVersion"))
    if api and _numbers(api) < OLDEST:
        yield TOO_OLD.found(engine=engine, api=api)
    newer = min((since for since, api in SPOKEN if api >= _numbers(least)), default=None)
    if not want.release or not least or newer is None:  # newer than what is known here
        return
    spoken = next((api for since, api in SPOKEN if want.numbers >= since), OLDEST)
    if spoken < _numbers(least):
        yield TOO_NEW.found(
            runner=_words(want.numbers),
            api=_words(spoken),
            engine=engine,
            least=least,
            newer=f"v{_words(newer)}",
        )


def least_of(engine: tuple[int, ...]) -> str:
    """The oldest API that an engine of that version speaks, where nobody has set another."""
    return _words(next((api for since, api in LEAST if engine >= since), (1, 12)))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def _words(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
