"""What has left the settings of a host, part by part, by what the kit remembers of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from runnerkit.facts import Facts
from runnerkit.files import config_toml, daemon_json
from runnerkit.files.memory import (
    Record,
    Removal,
    RunnerRecord,
    Way,
    digest,
    parsed,
    removal,
    union,
)
from runnerkit.files.merge import take_out
from runnerkit.want import Want, WantedRunner

RESTART = ("listen_address", "session_server")  # read by the manager at its start only
NAMED = 4  # keys in a title
# dockerd keeps these where a reload finds no key; and `register` writes this one by itself.
DAEMON_REST: Mapping[Way, Any] = {("registry-mirrors",): [], ("insecure-registries",): []}
ENTRY_REST: Mapping[Way, Any] = {("docker", "volumes"): ["/cache"]}


@dataclass(frozen=True)
class ConfigRemoval:
    """What leaves config.toml: of its global part, of entries by their index, and whole entries."""

    whole: Removal
    of: Mapping[int, Removal]
    entries: Mapping[int, Mapping[str, Any]]

    @property
    def goes(self) -> bool:
        """Whether anything goes."""
        return bool(self.entries or self.whole.goes or any(one.goes for one in self.of.values()))

    @property
    def restarts(self) -> bool:
        """Whether a manager that runs does not take that up."""
        fixed = (way for one in self.of.values() for way in one.goes if way[0] == "autoscaler")
        return any(way[0] in RESTART for way in self.whole.goes) or any(
            way[1:2] != ("policy",) for way in fixed
        )

    @property
    def reason(self) -> str:
        """Why config.toml is written, for the title; "" where nothing goes."""
        names = [f"runner {one.get('name', 'without a name')}" for one in self.entries.values()]
        return reason(
            [*self.whole.goes, *(way for one in self.of.values() for way in one.goes)], names
        )


def managers(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Those whose manager alone can be taken off GitLab; by an older token the runner would go."""
    told = [{key: str(one.get(key, "")) for key in ("name", "url", "token")} for one in entries]
    return [one for one in told if one["token"].startswith("glrt-")]


def daemon(want: Want, have: Facts) -> Removal:
    """Of daemon.json."""
    own, others = records(want, have)
    wanted = union(daemon_json.managed(want, have), *(one.daemon for one in others))
    now = daemon_json.meaning(daemon_json.parsed(have))
    return removal(have, own.daemon, wanted, now, DAEMON_REST)


def config(want: Want, have: Facts) -> ConfigRemoval:
    """Of config.toml."""
    own, others = records(want, have)
    now = config_toml.parsed(want, have)
    wanted = union(config_toml.globals_wanted(want, have), *(one.config for one in others))
    of = {}
    for runner in want.runners:
        index = config_toml.entry_index(want, have, runner)
        if index is not None:
            of[index] = _entry(want, have, runner, now["runners"][index])
    whole = _entries(want, have)
    return ConfigRemoval(removal(have, own.config, wanted, now, {}), of, whole)


def _entry(want: Want, have: Facts, runner: WantedRunner, now: Mapping[str, Any]) -> Removal:
    own, others = records(want, have)
    token = digest(have, now.get("token"))
    same = (each for one in others for each in one.runners.values() if each.token == token)
    wanted = union(config_toml.runner_wanted(runner), *(each.keys for each in same))
    return removal(have, runner_record(own, runner, token).keys, wanted, now, ENTRY_REST)


def environment(want: Want, have: Facts, now: Mapping[str, str]) -> Removal:
    """Of the manager's variables."""
    own, others = records(want, have)
    wanted = union(want.manager.environment, *(one.environment for one in others))
    return removal(have, own.environment, wanted, now, {})


def _entries(want: Want, have: Facts) -> dict[int, dict[str, Any]]:
    """The entries of config.toml that the kit registered, and no settings name any longer.

    Not that of an autoscaler, whose machines would have nobody.
    """
    own, others = records(want, have)
    wanted = {config_toml.entry_index(want, have, runner) for runner in want.runners}
    foreign = {each.token for one in others for each in one.runners.values()}
    mine = [one for one in own.runners.values() if one.registered]
    return {
        index: now
        for index, now in enumerate(config_toml.parsed(want, have).get("runners", []))
        if index not in wanted
        and "autoscaler" not in now
        and digest(have, now.get("token")) not in foreign
        and any(same_runner(want, have, one, now) for one in mine)
    }


def reason(ways: Iterable[Way], more: Iterable[str] = ()) -> str:
    """Why a file is written, where something of it goes, for the title."""
    names = [*more, *(".".join(way) for way in ways)]
    if not names:
        return ""
    shown = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if names[NAMED:] else "")
    return f" (no longer in the settings: {shown})"


def without(text: str, removal: ConfigRemoval) -> str:
    """config.toml without what goes."""
    import tomlkit

    document = tomlkit.parse(text)
    for way in removal.whole.goes:
        take_out(document, way)
    for index, one in removal.of.items():
        for way in one.goes:
            take_out(document["runners"][index], way, ENTRY_REST.get(way))
    for index in sorted(removal.entries, reverse=True):
        del document["runners"][index]
    if removal.entries and not document["runners"]:
        del document["runners"]
    return tomlkit.dumps(document)


def runner_record(own: Record, runner: WantedRunner, token: str) -> RunnerRecord:
    """What is remembered of a runner, which may have another key in the settings now."""
    same = (one for one in own.runners.values() if one.token == token)
    return own.runners.get(runner.key) or next(same, RunnerRecord())


def same_runner(want: Want, have: Facts, one: RunnerRecord, now: Mapping[str, Any]) -> bool:
    """Whether an entry is that runner's: by its token, or by its id where that was renewed."""
    here = config_toml.gitlab(now.get("url")) == config_toml.gitlab(want.url)
    renewed = bool(one.id) and one.id == now.get("id") and here
    return one.token == digest(have, now.get("token")) or renewed


def records(want: Want, have: Facts) -> tuple[Record, list[Record]]:
    """That of this run's settings, and those of others."""
    own = parsed(have).settings.get(origin_of(want, have), Record())
    return own, list(others_of(want, have).values())


def others_of(want: Want, have: Facts) -> dict[str, Record]:
    """The records of other settings, of which a runner is still there, as far as is seen."""
    origin, there = origin_of(want, have), config_toml.parsed(want, have).get("runners", [])
    return {
        key: record
        for key, record in parsed(have).settings.items()
        if key != origin
        and any(
            record.place != want.config
            or not one.token
            or any(same_runner(want, have, one, now) for now in there)
            for one in record.runners.values()
        )
    }


def origin_of(want: Want, have: Facts) -> str:
    """Whose record is this run's: that of its settings file, or of the same one in another place, which
    has the same runner; "" for none."""
    known = parsed(have).settings if want.origin else {}
    there = config_toml.parsed(want, have).get("runners", [])
    shared = (
        origin
        for runner in want.runners
        if (index := config_toml.entry_index(want, have, runner)) is not None
        for origin, record in known.items()
        if (one := record.runners.get(runner.key))
        and one.token
        and same_runner(want, have, one, there[index])
    )
    return want.origin if want.origin in known else next(shared, "")
