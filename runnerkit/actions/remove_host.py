"""What the kit put on a host beside the manager, taken away again where nobody else needs it."""

from collections.abc import Iterator
from dataclasses import dataclass

from runnerkit.facts import Facts, Needs
from runnerkit.files import daemon_json, leaving, memory, record, share
from runnerkit.files.write import NO_PREVIOUS, write_file
from runnerkit.images.reference import normal
from runnerkit.place import LOCKS, PROGRAMS
from runnerkit.plan import Change, Hint, Script
from runnerkit.steps import first_boot
from runnerkit.templates import render
from runnerkit.want import Want

INSTALLED = f"{memory.FOLDER}/installed"  # the packages that came with Docker, by the kit
LEAVES = f"{memory.FOLDER}/docker-leaves"  # once that has begun, nothing of Docker can be asked
OWN_VOLUMES = ("runnerkit-registry",)
UNITS = (
    *(first_boot.SERVICE, first_boot.LEAVE_SERVICE, first_boot.HOST_KEYS),
    *(first_boot.FIRST_BOOT, first_boot.LEAVE, *first_boot.PATIENT),
)
ENGINE = ("docker.io", "docker-ce", "containerd", "containerd.io", "runc")
HINTS = (Hint("", "mend on the host what is said above, then run again: it goes on from there"),)


def leaves(have: Facts) -> bool:
    """Whether Docker's removal was begun."""
    return LEAVES in have.paths


@dataclass(frozen=True)
class UnitRemoval:
    """What a machine image brought along, by which the machine would register itself again."""

    def needs(self, want: Want) -> Needs:
        return Needs(files=UNITS)

    def changes(self, want: Want, have: Facts) -> Iterator[Change]:
        there = [path for path in UNITS if path in have.files]
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
        left = leaving.daemon(share.nothing(want), have)
        file, now = have.files.get(daemon_json.PATH), daemon_json.parsed(have)
        found = memory.parsed(have).found
        emptied = [way for way in left.gone if way in leaving.DAEMON_REST and way[0] in now]
        goes = [way for way in (*left.goes, *emptied) if not _within(found, way)]
        if not file or not goes:
            return
        rest = {
            way[0]: value
            for way, value in leaving.DAEMON_REST.items()
            if way in goes and now[way[0]] != value
        }
        kept = daemon_json.edited(have, rest, [way for way in goes if way[0] not in rest])
        after = NO_PREVIOUS
        if daemon_json.PATH in memory.parsed(have).files and {*now} == {way[0] for way in goes}:
            after += '\nrm -f "$path"\nrmdir "${path%/*}" 2>/dev/null || :'
        if have.docker_runs and any(way not in leaving.DAEMON_REST for way in goes):
            after += "\n" + render("restart-idle-docker.sh.j2")
        data = file.data
        script = "set -e\n"
        if rest and have.docker_runs:  # by a reload dockerd keeps what is no longer in its file
            reload = f"{NO_PREVIOUS}\n" + render("reload-docker.sh.j2", mirrors=[])
            first = write_file(daemon_json.PATH, kept, file.mode, old=data, after=reload)
            script, data = f"{script}(\n{first.text}\n)\n", kept.encode()
        text = daemon_json.edited(have, {}, goes)
        write = write_file(daemon_json.PATH, text, file.mode, old=data, after=after)
        names = ", ".join(".".join(way) for way in goes)
        title = f"take {names} out of {daemon_json.PATH}"
        yield Script(title, script + write.text, write.diff, hints=HINTS)


def _within(found: memory.Tree, way: memory.Way) -> bool:
    """Whether the host had that before the kit."""
    now: object = found
    for key in way:
        now = now.get(key) if isinstance(now, dict) else None
    return now is not None


@dataclass(frozen=True)
class ImageRemoval:
    """The images that came by the kit, and the job images that it built."""

    def needs(self, want: Want) -> Needs:
        return Needs(belongings=True)

    def changes(self, want: Want, have: Facts) -> Iterator[Change]:
        names = going(want, have) if share.of(want, have).alone else []
        volumes = [one.name for one in have.belongings.volumes if one.name in OWN_VOLUMES]
        if names or volumes:
            text = render("remove-images.sh.j2", images=names, volumes=volumes)
            shown = ", ".join(names) or volumes[0]
            yield Script(f"remove {len(names)} images: {shown}", text, hints=HINTS)


def going(want: Want, have: Facts) -> list[str]:
    """The names of the images that go: not of those that a container of somebody's is made of."""
    memories = {*memory.parsed(have).images}
    jobs = {*want.names, *(image.name for image in want.images)}
    own = (want.manager.container, f"{want.manager.container}.next")
    used = {one.image for one in have.belongings.containers if one.name not in own}
    return [
        name
        for one in have.belongings.images
        if one.id not in used
        for name in one.names or ((one.id,) if one.job_image in jobs else ())
        if normal(name) in memories or one.job_image in jobs
    ]


@dataclass(frozen=True)
class EngineRemoval:
    """Docker itself, where the kit installed it and nobody else has anything in it."""

    def needs(self, want: Want) -> Needs:
        return Needs(files=(INSTALLED,), paths=(LEAVES,), belongings=True)

    def changes(self, want: Want, have: Facts) -> Iterator[Change]:
        if not share.of(want, have).alone or INSTALLED not in have.files:
            return
        if leaves(have) or not stays(want, have):
            count = len(have.files[INSTALLED].text.split())
            text = render(
                "remove-docker.sh.j2", installed=INSTALLED, leaves=LEAVES, folder=memory.FOLDER
            )
            yield Script(
                f"remove Docker and what came with it: {count} packages", text, hints=HINTS
            )


def stays(want: Want, have: Facts) -> str:
    """Why Docker stays on the host; "" where it goes."""
    if INSTALLED not in have.files:
        return "it was there before the kit, or the kit did not note that it installed it"
    if needed := [one for one in have.belongings.needed if one in ENGINE]:
        return f"other packages need {', '.join(needed)}"
    part, all_ = share.of(want, have), have.belongings
    own = (want.manager.container, f"{want.manager.container}.next")
    containers = [
        one.name for one in all_.containers if one.name not in own and not part.has(one.runner)
    ]
    if containers:
        return f"other containers are in it: {', '.join(containers[:3])}"
    volumes = [
        one.name
        for one in all_.volumes
        if one.name not in OWN_VOLUMES
        and not part.has(one.runner or share.short(one.name))
        and not any(one.name in each.volumes for each in all_.containers)
    ]
    if volumes:
        return f"other volumes are in it: {', '.join(volumes[:3])}"
    jobs = {*want.names, *(image.name for image in want.images), *memory.parsed(have).images}
    built = [
        one.names[0]
        for one in all_.images
        if one.names
        and not one.elsewhere
        and one.job_image not in jobs
        and not any(normal(name) in jobs for name in one.names)
    ]
    if built:
        return f"images are in it that no registry has: {', '.join(built[:3])}"
    return ""


@dataclass(frozen=True)
class MemoryRemoval:
    """What is remembered goes last: until then the next run knows what is left."""

    def needs(self, want: Want) -> Needs:
        return Needs(files=(memory.PATH,), paths=(memory.FOLDER,))

    def changes(self, want: Want, have: Facts) -> Iterator[Change]:
        if share.of(want, have).alone:
            if memory.FOLDER in have.paths:
                text = f"rm -rf {memory.FOLDER} {LOCKS}\nrmdir {PROGRAMS} 2>/dev/null || :"
                yield Script(f"remove {memory.FOLDER}", text, recorded=False)  # with the trail
        elif leaving.origin_of(want, have) in memory.parsed(have).settings:
            yield record.forgotten(want, have)
