"""A runner taken away from a host, with all that the kit put there for it; what others have stays.

In this order, so that a run that is cut off is completed by the next: the manager ends after its jobs,
GitLab hears of it while the token is still there, and what the kit remembers goes last.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from runnerkit import container
from runnerkit.actions import leavings, remove_docker, remove_host, resume
from runnerkit.errors import KitError
from runnerkit.facts import Facts, Needs
from runnerkit.files import config_toml, memory, removals, share, take_up
from runnerkit.files.write import NO_PREVIOUS, write_file
from runnerkit.plan import Change, Hint, Script, ServerCall
from runnerkit.printable import counted
from runnerkit.steps import cache_trust, metadata_rule, network, prune_timer, site_cache
from runnerkit.templates import render
from runnerkit.want import Want

HINTS = (
    Hint(
        "timeout: the jobs",
        "the manager takes no new jobs and ends after those that it has: run again then; or raise "
        "[manager] stop_timeout",
    ),
    Hint(
        "no such host|refused|timeout|unreachable|network|GitLab did not",
        "the host must reach GitLab once more, or the manager would stay there: mend that, then run again",
    ),
)


class Noun(Protocol):
    """A module of steps/."""

    def needs(self, want: Want) -> Needs: ...

    def changes(self, want: Want, have: Facts) -> Iterator[Change]: ...


@dataclass(frozen=True)
class RunnerRemoval:
    """The manager and its runners. `deletes` are the ids at GitLab, by their key, of those that the kit
    made there and that no other manager has."""

    deletes: Mapping[str, int] = field(default_factory=dict)

    def needs(self, want: Want) -> Needs:
        files = (memory.PATH, want.config, f"{want.config}.previous", want.system_id)
        return Needs(files, (remove_docker.LEAVES, resume.FOLDER), manager=True, belongings=True)

    def changes(self, want: Want, have: Facts) -> Iterator[Change]:
        if have.dockerd and not have.docker_runs and not remove_docker.leaves(have):
            raise KitError(
                "Docker does not run on the host, and the manager is in it",
                "start it there (systemctl start docker), then run again",
            )
        if have.docker_runs and not have.belongings.whole:
            raise KitError(
                "Docker on the host does not tell all that it has, and somebody's may be among it",
                "see there that docker ps -a, docker volume ls and docker image ls end well, then run again",
            )
        if resume.FOLDER in have.paths and share.of(want, have).alone:
            raise KitError(
                "the host is the one that ends the pause of a runner at its time",
                "end the pause first, ./inv runner.resume, or have another host end it; then run again",
            )
        part, there = share.of(want, have), {one.name for one in have.belongings.containers}
        if part.rest:
            yield from self._paused(want, have, part)
        elif names := [one for one in remove_docker.managers(want) if one in there]:
            yield _container(want, have, names)
        yield from leavings.changes(have, part)
        for key, number in self.deletes.items():
            if key in have.server:
                name = have.server[key].description
                yield ServerCall(
                    f"delete runner {name} (#{number}) at GitLab", "delete", key, number
                )
        if part.rest:
            yield from self._entries(want, have, part)
        elif have.files.keys() & {want.config, f"{want.config}.previous", want.system_id}:
            yield self._folder(want, have, part)

    def _paused(self, want: Want, have: Facts, part: share.Share) -> Iterator[Change]:
        """No job is lost of a runner that goes while its manager stays."""
        for key, number in self.deletes.items():
            if not (server := have.server.get(key)):
                continue
            name, busy = server.description, leavings.jobs(have, part)
            if not server.paused:
                title = f"pause runner {name} (#{number}) at GitLab"
                yield ServerCall(title, "update", key, number, {"paused": True})
            if busy or not server.paused:
                seconds = want.manager.stop_timeout
                text = render("await-jobs.sh.j2", tokens=part.marks, timeout=seconds)
                yield Script(f"wait for the jobs of runner {name}", text, hints=HINTS)

    def _off(self, want: Want, have: Facts, part: share.Share) -> list[Mapping[str, str]]:
        """The entries that GitLab is told of: a manager by its runner's token; by an older token the
        whole runner, where the kit registered it."""
        doomed = {
            config_toml.entry_index(want, have, runner)
            for runner in want.runners
            if runner.key in self.deletes
        }
        return [
            {key: str(one.get(key, "")) for key in ("name", "url", "token")}
            for index, one in part.mine.items()
            if index not in doomed
            and have.dockerd
            and (str(one.get("token", "")).startswith("glrt-") or index in part.registered)
        ]

    def _entries(self, want: Want, have: Facts, part: share.Share) -> Iterator[Change]:
        now = removals.config(share.nothing(want), have)
        removal = removals.ConfigRemoval(now.whole, {}, part.mine)
        if not removal.goes:
            return
        file, name = have.files[want.config], want.manager.container
        _, takes = take_up.lines(want, have, config_toml.parsed(want, have), restart=False)
        after = f"{NO_PREVIOUS}\n{takes}"
        pause = take_up.round_of(want, have) if have.runs(name) else 0
        if entries := self._off(want, have, part):
            after += "\n" + _unregister(want, entries, pause)
        text = removals.without(file.text, removal)
        yield write_file(want.config, text, 0o600, old=file.data, after=after)

    def _folder(self, want: Want, have: Facts, part: share.Share) -> Script:
        names = ", ".join(str(one.get("name", "without a name")) for one in part.mine.values())
        entries = self._off(want, have, part)
        off = f"take {names} off GitLab, and " if entries else ""
        text = render(
            "remove-config.sh.j2",
            folder=want.manager.config_dir,
            unregister=_unregister(want, entries, 0) if entries else "",
        )
        return Script(f"{off}remove {want.manager.config_dir}", text, hints=HINTS)


@dataclass(frozen=True)
class Without:
    """A step on a host of which nothing is wanted any longer, by anybody."""

    step: Noun

    def needs(self, want: Want) -> Needs:
        return self.step.needs(want)

    def changes(self, want: Want, have: Facts) -> Iterator[Change]:
        if share.of(want, have).alone:
            yield from self.step.changes(share.nothing(want), have)


def actions(deletes: Mapping[str, int], keep_images: bool) -> Sequence[Noun]:
    """All of it, in its order.

    Args:
        deletes: ids at GitLab, by their key, of runners that the kit made there for this host alone.
        keep_images: leave the images on the host.
    """
    return (
        RunnerRemoval(deletes),
        Without(prune_timer),
        Without(metadata_rule),
        *(Without(site_cache), Without(cache_trust), Without(network)),
        remove_host.UnitRemoval(),
        remove_host.DaemonRemoval(),
        *(() if keep_images else (remove_docker.ImageRemoval(), remove_docker.EngineRemoval())),
        remove_host.MemoryRemoval(keep_images),
    )


def _container(want: Want, have: Facts, names: Sequence[str]) -> Script:
    """The manager ends after its jobs, and stays ended whatever comes after."""
    after = f", after its {counted(len(have.work), 'running job')}" if have.work else ""
    title = f"remove the container {want.manager.container}{after}"
    text = f"{container.drain(want, leaves=True)}\ndocker rm -f -v {' '.join(names)} >/dev/null"
    return Script(title, text, hints=HINTS)


def _unregister(want: Want, entries: Sequence[Mapping[str, str]], pause: int) -> str:
    return render(
        "unregister.sh.j2",
        want=want,
        entries=entries,
        toml=config_toml.inline,
        pause=pause,
        strict=True,
    )
