"""What is to be remembered of a host, on the host: before it is changed, and once it is as wanted."""

from collections.abc import Collection, Iterator

from runnerkit.facts import Facts
from runnerkit.files import config_toml, daemon_json
from runnerkit.files.memory import (
    PATH,
    Memory,
    Record,
    RunnerRecord,
    digest,
    parsed,
    shorts,
    tree,
    union,
    written,
)
from runnerkit.files.removals import origin_of, others_of, records, runner_record, same_runner
from runnerkit.files.write import NO_PREVIOUS, write_file
from runnerkit.images.reference import normal
from runnerkit.plan import Build, Change, Load, Pull, Script
from runnerkit.settings.docker import AUTO
from runnerkit.want import Want, WantedRunner


def ahead(want: Want, have: Facts, pending: Collection[Change]) -> Script | None:
    """Remember what is about to be written beside what was: a run may be cut off at any point.

    Args:
        want: what the host should be.
        have: the host.
        pending: the changes; those with a runner's token register it.
    """
    old, new = records(want, have)[0], _record(want, have)
    former = {}  # by another name of the same key: it goes once the new one is there
    for key in {one.token for one in pending if isinstance(one, Script) and one.token}:
        new.runners[key] = RunnerRecord(registered=True, keys=new.runners[key].keys)
        if key in old.runners and old.runners[key].token:
            former[f"{key} before"] = old.runners[key]
    runners = {
        key: RunnerRecord(
            one.token,
            one.id,
            one.registered,
            union(old.runners[key].keys if key in old.runners else {}, one.keys),
        )
        for key, one in new.runners.items()
    }
    both = Record(
        want.config,
        union(old.daemon, new.daemon),
        union(old.config, new.config),
        union(old.environment, new.environment),
        {**old.runners, **former, **runners},
        old.cache or new.cache,
        new.chosen,
        new.shorts,
    )
    return _write(want, have, both, pending)


def brought(want: Want, have: Facts, pending: Collection[Change]) -> Script | None:
    """Remember only which images are about to come to the host by the kit."""
    return _write(want, have, None, pending)


def settled(want: Want, have: Facts) -> Script | None:
    """Remember what the settings say, now that the host is so."""
    return _write(want, have, _record(want, have))


def forgotten(want: Want, have: Facts) -> Script:
    """Remember only what others said."""
    now = parsed(have)
    return _file(have, Memory(now.schema, others_of(want, have), now.images, now.files, now.found))


def _write(
    want: Want, have: Facts, record: Record | None, pending: Collection[Change] = ()
) -> Script | None:
    """The change of the file; None where it says so already. A run without a settings file has no record."""
    now, settings = parsed(have), parsed(have).settings
    if record and want.origin and settings.get(origin_of(want, have)) != record:
        settings = {**others_of(want, have), want.origin: record}
    images = {name for one in pending for name in _names(one)} - {*have.images}
    daemon = {daemon_json.PATH, daemon_json.FOLDER} if record and record.daemon else set[str]()
    files = daemon - {*have.files, *have.paths} if pending else set()
    first = (images or record) and pending and PATH not in have.files
    found = tree(have, daemon_json.meaning(daemon_json.parsed(have))) if first else now.found
    both = sorted({*now.images, *images}), sorted({*now.files, *files})
    new = Memory(now.schema, settings, *both, found)
    return None if new == now else _file(have, new)


def _names(change: Change) -> tuple[str, ...]:
    """What images come by it, by any name."""
    if isinstance(change, Pull):
        return tuple(map(normal, (change.image, *change.sources)))
    if isinstance(change, Load):
        return tuple(map(normal, change.image.names))
    return (change.image.reference,) if isinstance(change, Build) else ()


def _file(have: Facts, new: Memory) -> Script:
    old = file.data if (file := have.files.get(PATH)) else None
    return write_file(PATH, written(new), 0o600, old=old, after=NO_PREVIOUS, keep_owner=False)


def _record(want: Want, have: Facts) -> Record:
    config = config_toml.globals_wanted(want, have)
    config.pop("concurrent", None)  # left out, the host's own number stays
    return Record(
        place=want.config,
        daemon=tree(have, daemon_json.meaning(daemon_json.managed(want, have))),
        config=tree(have, config),
        environment=tree(have, want.manager.environment),
        runners={runner.key: _of(want, have, runner) for runner in want.runners},
        cache=want.cache is not None,
        chosen=_chosen(want, have),
        shorts=shorts(have, records(want, have)[0].shorts, _tokens(want, have)),
    )


def _tokens(want: Want, have: Facts) -> Iterator[str]:
    for runner in want.runners:
        if token := config_toml.entry_token(want, have, runner):
            yield token.reveal()


def _chosen(want: Want, have: Facts) -> str:
    """What stands for the mirrors, where it is not the settings that name them."""
    if want.docker.registry_mirrors != AUTO:
        return ""
    return digest(have, daemon_json.managed(want, have).get(daemon_json.MIRRORS, []))


def _of(want: Want, have: Facts, runner: WantedRunner) -> RunnerRecord:
    keys = tree(have, config_toml.runner_wanted(runner))
    index = config_toml.entry_index(want, have, runner)
    if index is None:
        return RunnerRecord(keys=keys)
    now = config_toml.parsed(want, have)["runners"][index]
    token, number = digest(have, now.get("token")), now.get("id")
    old = runner_record(records(want, have)[0], runner, token)
    ours = old.registered and (not old.token or same_runner(want, have, old, now))
    return RunnerRecord(token, number if isinstance(number, int) else 0, ours, keys)
