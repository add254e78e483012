"""Which entries of many hosts are one runner of the settings."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

from runnerkit.adoption import tables
from runnerkit.adoption.entry import RunnerEntry, slug
from runnerkit.adoption.gap import Gap
from runnerkit.settings.model import DEFAULT
from runnerkit.settings.secrets import Secret
from runnerkit.want import usual_name

UNNAMED = "runner"


@dataclass
class Group:
    """The entries of one [runners.KEY]. Without a token each host has its own, and its own name."""

    members: list[RunnerEntry]
    token: Secret | None
    key: str = ""
    name: str = ""

    @property
    def stem(self) -> str:
        """The key that gives all of them their names; "" for none."""
        (first, *others) = {one.stem for one in self.members}
        return "" if others else first

    def joins(self, other: "Group") -> bool:
        """Whether both are what one section gives hosts that register a runner each."""
        apart = not self.sites & other.sites
        return bool(apart and self.stem and self.stem == other.stem and self.core == other.core)

    @property
    def sites(self) -> set[str]:
        return {one.site.name for one in self.members}

    @property
    def core(self) -> Any:
        return self.members[0].core

    def data(self, note: list[Gap]) -> dict[str, Any]:
        """The section, its secrets as such; the token is not among them."""
        found: dict[str, Any] = {"name": self.name} if self.name else {}
        found |= self.core

        def left(path: str, why: str) -> None:
            note.append(Gap(f"runners.{self.key}{path} {why}", "each keeps its own"))

        for table in ("docker", "settings"):
            each = [getattr(one, table) for one in self.members]
            if both := tables.common(each, f".{table}", left):
                found[table] = both
        return found


def grouped(entries: Iterable[RunnerEntry], note: list[Gap]) -> list[Group]:
    """The entries by what runner they are: a token is one runner, and a name a host's own one."""
    groups: list[Group] = []
    for entry in entries:
        same = [one for one in groups if entry.token and one.token == entry.token]
        if any(entry.site.name in one.sites for one in same):
            what = f"the runner {entry.name!r} has the token of another entry: it is the same runner twice"
            note.append(Gap(what, "take that entry out of its config.toml", entry.site.name))
        elif fitting := [one for one in same if one.core == entry.core]:
            fitting[0].members.append(entry)
        else:
            groups.append(Group([entry], entry.token))
    joined: list[Group] = []
    for group in groups:
        if fitting := [one for one in joined if one.joins(group)]:
            fitting[0].members += group.members
            fitting[0].token = None
        else:
            joined.append(group)
    _name(joined, note)
    return joined


def _name(groups: list[Group], note: list[Gap]) -> None:
    """Give each its key, each key once, and where that gives its entries other names, their name."""
    keys: set[str] = set()
    names: set[tuple[str, str]] = set()
    for group in groups:
        stem = group.stem or slug(group.members[0].name) or UNNAMED
        stem = UNNAMED if stem == DEFAULT != group.stem else stem
        others = (f"{stem}-{number}" for number in count(2))
        group.key = next(key for key in chain((stem,), others) if key not in keys)
        keys.add(group.key)
        now = {(one.site.name, one.name) for one in group.members}
        usual = {
            (one.site.name, usual_name(group.key, one.site.have.hostname)) for one in group.members
        }
        alike = len({one.name for one in group.members}) == 1 and not now & names
        if now != usual and alike:
            group.name = group.members[0].name
        elif now != usual:
            several = ", ".join(sorted({repr(one.name) for one in group.members}))
            what = f"runners.{group.key} is called {several}, and settings cannot say so there"
            note.append(
                Gap(what, "it stays so; set the variable of its token, by which it is known")
            )
        names |= now if group.name else usual
