"""config.toml says what the settings say, and no longer what they said; the rest stays as it is."""

from collections.abc import Iterator
from dataclasses import replace

from runnerkit.facts import Facts, Needs
from runnerkit.files import change_over, config_toml, memory, register, removals, take_up
from runnerkit.files.merge import missing
from runnerkit.files.write import write_file
from runnerkit.plan import Change
from runnerkit.templates import render
from runnerkit.want import Want


def needs(want: Want) -> Needs:
    return Needs(files=(want.config, memory.PATH))


def changes(want: Want, have: Facts) -> Iterator[Change]:
    now = config_toml.parsed(want, have)
    wanted = config_toml.globals_wanted(want, have)
    entries = {}
    for runner in want.runners:
        index = config_toml.entry_index(want, have, runner)
        if index is not None:
            entries[index] = runner
    stale = [
        i
        for i, runner in entries.items()
        if missing(config_toml.entry_wanted(want, runner, now["runners"][i]), now["runners"][i])
    ]
    removal = removals.config(want, have)
    # Those to come are registered first: where that fails, the host keeps the runner that it has.
    if any(config_toml.entry_index(want, have, runner) is None for runner in want.runners):
        removal = replace(removal, entries={})
    over = next(change_over.due(want, have), None)
    if not (stale or missing(wanted, now) or over or removal.goes):
        return
    file = have.files.get(want.config)
    text = config_toml.edited(file.text if file else "", want, have, entries)
    if over:
        text = change_over.vacated(text, over[0])
    text = removals.without(text, removal)
    restart = removal.restarts
    restart |= any(missing(wanted[k], now.get(k)) for k in removals.RESTART if k in wanted)
    restart |= any(
        config_toml.restarts(config_toml.runner_wanted(entries[i]), now["runners"][i])
        for i in stale
    )
    # By another token it would take the machines of its autoscaler for strangers, and remove them.
    restart |= over is not None and "autoscaler" in now["runners"][over[0]]
    # Stopped before the write, and started after it by the manager's step: a run cut off between
    # leaves what the next one sees, an old file or a stopped container.
    before, after = take_up.lines(want, have, now, restart)
    # One that changes over would stay as the manager of the runner that it was.
    former = [now["runners"][over[0]]] if over else []
    if managers := removals.managers([*removal.entries.values(), *former]):
        runs = have.runs(want.manager.container)
        inline, pause = config_toml.inline, take_up.round_of(want, have) if runs else 0
        after += "\n" + render(
            "unregister.sh.j2", want=want, entries=managers, toml=inline, pause=pause, strict=False
        )
    if over:
        script = register.script(
            want, over[1], over[1].name(have.hostname), place=change_over.PLACE
        )
        before = f"{script}\n{before}"
    check = render("lint.sh.j2", image=want.manager.image)
    old = file.data if file else None
    write = write_file(want.config, text, 0o600, old=old, before=before, after=after, check=check)
    if not over:
        yield replace(write, title=write.title + removal.reason)
        return
    name = now["runners"][over[0]].get("name", over[1].key)
    yield replace(
        write,
        title=f"change runner {name} over to the token of the settings{removal.reason}",
        token=over[1].key,
        hints=register.HINTS,
        reaches=register.reaches(want),
    )
