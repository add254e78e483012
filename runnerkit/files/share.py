"""What of a host is this run's settings' own, and what others still want of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from msgspec import structs

from runnerkit.facts import Facts
from runnerkit.files import config_toml
from runnerkit.files.memory import digest, short_digest
from runnerkit.files.removals import records, same_runner
from runnerkit.settings.access import Access
from runnerkit.want import Want

SHORT = 8  # characters of a token that stand for it


def short(volume: str) -> str:
    """The short token in the name of a cache, which had no labels once."""
    found = re.match(r"runner-(.{8,9})-project-", volume)
    return found[1] if found else ""


@dataclass(frozen=True)
class Share:
    """The entries of config.toml that are these settings', by their index; of them those that the kit
    registered; the others; whether other settings have a runner on the host; and the short tokens of
    former times that something of theirs still has on the host."""

    mine: Mapping[int, Mapping[str, Any]]
    registered: frozenset[int]
    rest: tuple[Mapping[str, Any], ...]
    others: bool
    former: frozenset[str]

    @property
    def alone(self) -> bool:
        """Whether nobody else wants anything of what the kit put there."""
        return not self.rest and not self.others

    def has(self, short: str) -> bool:
        """Whether a short token, as jobs' containers and caches have it, is of one of these runners."""
        known = (token.lower() for token in self.tokens)
        now = len(short) >= SHORT and any(short.lower() in token for token in known)
        return now or short in self.former

    @property
    def old(self) -> frozenset[int]:
        """Of the entries those that GitLab is told of by an older token: the runner goes with it."""
        tokens = {index: str(one.get("token", "")) for index, one in self.mine.items()}
        return frozenset(
            i for i in self.registered if not tokens.get(i, "glrt-").startswith("glrt-")
        )

    @property
    def marks(self) -> tuple[str, ...]:
        """In which the short token is found of each container and cache of these runners' jobs."""
        return (*self.tokens, *sorted(self.former))

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokens of the entries that are these settings'."""
        return tuple(str(one.get("token", "")) for one in self.mine.values())


def of(want: Want, have: Facts) -> Share:
    """Told by the memory, and by what the settings say: a runner that others' settings have too is theirs."""
    own, others = records(want, have)
    foreign = {each.token for one in others for each in one.runners.values()}
    wanted = {config_toml.entry_index(want, have, runner) for runner in want.runners}
    known = [one for one in own.runners.values() if one.registered]
    entries = list(enumerate(config_toml.parsed(want, have).get("runners", [])))
    registered = {
        i for i, now in entries if any(same_runner(want, have, one, now) for one in known)
    }
    mine = {
        i: now
        for i, now in entries
        if i in registered | wanted and digest(have, now.get("token")) not in foreign
    }
    rest = tuple(now for i, now in entries if i not in mine)
    there = have.belongings
    seen = {one.runner for one in there.containers}
    seen |= {one.runner or short(one.name) for one in there.volumes}
    former = frozenset(one for one in seen if one and short_digest(have, one) in own.shorts)
    return Share(mine, frozenset(registered), rest, bool(others), former)


def nothing(want: Want) -> Want:
    """The same settings, when they want nothing of the host any longer."""
    return replace(
        want,
        runners=(),
        images=(),
        docker=structs.replace(want.docker, daemon={}, registry_mirrors=(), metadata="open"),
        manager=structs.replace(want.manager, settings={}, environment={}, metrics=""),
        caches=(),
        cache=None,
        prune=structs.replace(want.prune, schedule=""),
        network=Access(),
    )
