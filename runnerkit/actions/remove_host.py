"""What the kit put on a host beside the manager, taken away again where nobody else needs it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from runnerkit.actions import remove_docker
from runnerkit.facts import Facts, Needs
from runnerkit.files import daemon_json, memory, record, removals, share
from runnerkit.files.diff import diff
from runnerkit.files.write import NO_PREVIOUS, write_file
from runnerkit.place import LOCKS, PROGRAMS
from runnerkit.plan import Change, Hint, Script
from runnerkit.steps import first_boot
from runnerkit.templates import render
from runnerkit.want import Want

UNITS = (
    *(first_boot.SERVICE, first_boot.LEAVE_SERVICE, first_boot.HOST_KEYS),
    *(first_boot.FIRST_BOOT, first_boot.LEAVE, *first_boot.PATIENT),
)
# Of the memory, what tells which images came by the kit, and what with Docker.
NOTES = ("applied.json", "installed", "forwards", "no-group", "sources")
HINTS = (Hint("", "mend on the host what is said above, then run again: it goes on from there"),)


@dataclass(frozen=True)
class UnitRemoval:
    """What a machine image brought along, by which the machine would register itself again."""

    def needs(self, want: Want) -> Needs:
        return Needs(files=UNITS)

    def changes(self, want: Want, have: Facts) -> Iterator[Change]:
        there = [path for path in UNITS if path in have.files and path != first_boot.HOST_KEYS]
        keys = have.files.get(first_boot.HOST_KEYS)  # others may have a unit of that name
        if keys and keys.text == render("ssh-host-keys.service"):
            there.append(first_boot.HOST_KEYS)
        if there and share.of(want, have).alone:
            yield Script(
                "remove what registers the machine at its first boot",
                render("remove-units.sh.j2", files=there),
                hints=HINTS,
            )


@dataclass(frozen=True)
class DaemonRemoval:
    """Of daemon.json what the settings said; the file, where the kit made it and nothing else is in it."""

    def needs(self, want: Want) -> Needs:
        return Needs(files=(daemon_json.PATH,))

    def changes(self, want: Want, have: Facts) -> Iterator[Change]:
        left = removals.daemon(share.nothing(want), have)
        file, now = have.files.get(daemon_json.PATH), daemon_json.parsed(have)
        found = memory.parsed(have).found
        emptied = [way for way in left.gone if way in removals.DAEMON_REST and way[0] in now]
        goes = [way for way in (*left.goes, *emptied) if not _within(found, way)]
        if not file or not goes:
            return
        rest = {
            way[0]: value
            for way, value in removals.DAEMON_REST.items()
            if way in goes and now[way[0]] != value
        }
        kept = daemon_json.edited(have, rest, [way for way in goes if way[0] not in rest])
        after = NO_PREVIOUS
        own = memory.parsed(have).files
        if daemon_json.PATH in own and {*now} == {way[0] for way in goes}:
            after += '\nrm -f "$path"'
            after += '\nrmdir "${path%/*}" 2>/dev/null || :' * (daemon_json.FOLDER in own)
        if have.docker_runs and any(way not in removals.DAEMON_REST for way in goes):
            after += "\n" + render("restart-idle-docker.sh.j2")
        data = file.data
        script = "set -e\n"
        if rest and have.docker_runs:  # by a reload dockerd keeps what is no longer in its file
            reload = f"{NO_PREVIOUS}\n" + render("reload-docker.sh.j2", mirrors=[])
            first = write_file(daemon_json.PATH, kept, file.mode, old=data, after=reload)
            script, data = f"{script}(\n{first.text}\n)\n", kept.encode()
        text = daemon_json.edited(have, {}, goes)
        write = write_file(daemon_json.PATH, text, file.mode, old=data, after=after)
        shown = diff(file.text, text, daemon_json.PATH)
        names = ", ".join(".".join(way) for way in goes)
        title = f"take {names} out of {daemon_json.PATH}"
        yield Script(title, script + write.text, shown, hints=HINTS)


def overwritten(want: Want, have: Facts) -> list[str]:
    """Keys of daemon.json that had another value before the kit, which it does not remember."""
    goes, found = removals.daemon(share.nothing(want), have).goes, memory.parsed(have).found
    known = memory.tree(have, daemon_json.meaning(daemon_json.parsed(have)))
    return [".".join(way) for way in goes if _at(found, way) not in (None, _at(known, way))]


def _within(found: memory.Tree, way: memory.Way) -> bool:
    """Whether the host had that before the kit."""
    return _at(found, way) is not None


def _at(tree: memory.Tree, way: memory.Way) -> object:
    now: object = tree
    for key in way:
        now = now.get(key) if isinstance(now, dict) else None
    return now


@dataclass(frozen=True)
class MemoryRemoval:
    """What is remembered goes last: until then the next run knows what is left. With images that are
    kept, or a Docker that others use, that of them stays."""

    keep_images: bool = False

    def needs(self, want: Want) -> Needs:
        files = (memory.PATH, remove_docker.INSTALLED)
        return Needs(files=files, paths=(memory.FOLDER,), belongings=True)

    def changes(self, want: Want, have: Facts) -> Iterator[Change]:
        if share.of(want, have).alone:
            if self.keep_images or remove_docker.waits(want, have):
                yield from _kept(want, have)
            elif memory.FOLDER in have.paths:
                text = f"rm -rf {memory.FOLDER} {LOCKS}\nrmdir {PROGRAMS} 2>/dev/null || :"
                yield Script(f"remove {memory.FOLDER}", text, recorded=False)  # with the trail
        elif removals.origin_of(want, have) in memory.parsed(have).settings:
            yield record.forgotten(want, have)


def _kept(want: Want, have: Facts) -> Iterator[Script]:
    if removals.origin_of(want, have) in memory.parsed(have).settings:
        change = record.forgotten(want, have)
        others = " ".join(f"! -name {name}" for name in NOTES)
        text = f"{change.text}\nfind {memory.FOLDER} -mindepth 1 {others} -delete"
        yield replace(change, text=text)
