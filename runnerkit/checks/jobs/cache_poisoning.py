"""A manager by which a job of any branch can write what those of protected branches take for a cache.

GitLab Runner keeps them apart since 18.4 (!5773), everywhere since 18.8 (!6021).
"""

from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs
from runnerkit.settings.model import Manager
from runnerkit.settings.runner import Runner
from runnerkit.want import Want

SAFE = (18, 8)
POISONABLE = Kind(
    "cache-poisonable",
    Level.NOTE,
    "with {version} of gitlab-runner whoever may push a branch can put code into jobs of protected "
    "branches on runner {name}, by their cache",
    'set [manager] image = "{image}", or any from v18.8 on; or docker.disable_cache = true of the runner',
)
KINDS = (POISONABLE,)


def needs(want: Want) -> Needs:
    return Needs()


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    """By the version that the settings name: another one is a change of the plan."""
    if not want.numbers or want.numbers >= SAFE:
        return
    for runner in want.runners:
        if _shared(runner.spec) and not runner.spec.docker.get("disable_cache"):
            yield POISONABLE.found(version=want.release, name=runner.key, image=Manager().image)


def _shared(spec: Runner) -> bool:
    """Whether the settings say that it is for more than one project, or for people who need trust nobody."""
    several = spec.group is not None or spec.type in ("instance_type", "group_type")
    return spec.executor != "instance" and (spec.hardening == "shared" or several)
