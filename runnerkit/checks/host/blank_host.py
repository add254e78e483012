"""A blank host has nothing that stands in the way of what bootstrap brings."""

from collections.abc import Iterator

from runnerkit.checks.engine import engine_runs
from runnerkit.checks.finding import Finding
from runnerkit.facts import Facts, Needs
from runnerkit.want import Want


def needs(want: Want) -> Needs:
    return engine_runs.needs(want)


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    """What there is of Docker, and is not one that the kit can use; none is no obstacle."""
    fine = {engine_runs.ABSENT.code, engine_runs.STOPPED.code}
    yield from (one for one in engine_runs.findings(want, have) if one.code not in fine)
