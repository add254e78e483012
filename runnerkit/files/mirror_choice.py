"""Which mirrors a host's Docker is to have: those that the settings name, or those that serve it."""

from collections.abc import Collection

from runnerkit.checks.network.verdict import Rating, Word, choice, ratings
from runnerkit.facts import Facts
from runnerkit.files import mirror_candidates
from runnerkit.images.reference import HUB
from runnerkit.settings.docker import AUTO
from runnerkit.want import Want


def mirrors(want: Want, have: Facts, now: Collection[str]) -> tuple[str, ...]:
    """All of them, the first first.

    Args:
        want: what the host should be.
        have: the host.
        now: those of its daemon.json, which stay where nothing better is known.
    """
    if want.docker.registry_mirrors != AUTO:
        return tuple(one.rstrip("/") for one in want.docker.fixed_mirrors)
    found = proven(want, have, now)
    if {*found} == {*now}:  # no reload for a speed that differs from one minute to the next
        return tuple(now)
    return found or (() if _hub_alone(have) else tuple(now))


def proven(want: Want, have: Facts, now: Collection[str]) -> tuple[str, ...]:
    """Those that were asked just now, and serve all that the host needs."""
    every = mirror_candidates.every(want.docker, have, now)
    own = [one.address for one in every if one.origin != mirror_candidates.KNOWN]
    return choice(rated(have), own)


def rated(have: Facts) -> tuple[Rating, ...]:
    """What was found of all that were asked just now."""
    return ratings(have.offers)


def _hub_alone(have: Facts) -> bool:
    """Whether Docker Hub itself serves all, and so no mirror is better than one that fails."""
    return any(one.registry == HUB and one.word is Word.GOOD for one in rated(have))
