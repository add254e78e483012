"""Docker itself at another version: after the manager's jobs, and held there."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from msgspec import structs

from runnerkit import container
from runnerkit.checks.engine import api_version, engine_runs
from runnerkit.errors import KitError
from runnerkit.facts import Facts, Needs
from runnerkit.facts.packages import EnginePackages, release
from runnerkit.files import daemon_json, drained, outside
from runnerkit.plan import Change, Hint, Script
from runnerkit.printable import counted
from runnerkit.templates import render
from runnerkit.want import Want

MANAGERS = ("apt", "dnf")
BY_HAND = (
    "./inv runner.drain --host HOST, upgrade it the way it was installed, then ./inv runner.drain "
    "--host HOST --resume"
)
# The index is renewed first: what it has not, it cannot offer. dnf does so by itself.
RENEW = "renew-index.sh.j2"


@dataclass(frozen=True)
class EngineUpgrade:
    """The engine is at a version, or at the best that the package sources have, and stays there.

    Args:
        to: the version, as Docker or the package names it; "" for the best.
        hints: of what a package manager says.
    """

    to: str = ""
    hints: tuple[Hint, ...] = ()

    def needs(self, want: Want) -> Needs:
        files = (drained.PATH, want.config, daemon_json.PATH)
        paths = engine_runs.needs(want).paths
        return Needs(files=files, paths=paths, manager=True, packages=True)

    def changes(self, want: Want, have: Facts) -> Iterator[Change]:
        for found in engine_runs.findings(want, have):
            raise found.error()
        packages = have.packages
        if have.unpacked:  # the engine's step completes them
            return
        _upgradable(packages)
        to = _target(packages, self.to)
        if to != packages.version:
            _understood(want, have, to)
            yield self._upgrade(want, have, to)
            return
        if (runs := release(str(have.info["ServerVersion"]))) and runs != release(to):
            drain = container.jobs_end(want, have)
            text = render(
                "restart-docker.sh.j2", name=want.manager.container, drain=drain, undo="", before=""
            )
            yield Script("restart docker, which is not yet of that version", text, hints=self.hints)
        if not {*packages.daemons} <= packages.held:
            title = f"hold {', '.join(packages.daemons)} at their versions"
            yield Script(title, f"set -eu\n{_hold(packages)}", hints=self.hints)
        name = want.manager.container
        down = name in have.containers and not have.containers[name]["State"].get("Running")
        if down and not drained.parsed(have):  # a run was cut off
            yield Script(f"start {name} again", render("take-work.sh.j2", name=name))

    def _upgrade(self, want: Want, have: Facts, to: str) -> Script:
        packages, name = have.packages, want.manager.container
        separator = "=" if packages.manager == "apt" else "-"
        text = outside.exports(want) + render(
            "upgrade-docker.sh.j2",
            name=name,
            manager=packages.manager,
            packages=[f"{one}{separator}{to}" for one in packages.together],
            held=packages.daemons,
            named=bool(self.to),
            drain=container.drain(want) if name in have.containers else "",
            hold=_hold(packages),
            start=render("start-docker.sh.j2", verb="start"),
        )
        jobs = f", after {counted(len(have.work), 'job')}" if have.work else ""
        title = f"bring Docker ({packages.owner}) from {packages.version} to {to}{jobs}"
        return Script(title, text, hints=(container.WAITED, *self.hints))


def _hold(packages: EnginePackages) -> str:
    return render("hold-docker.sh.j2", manager=packages.manager, held=packages.daemons)


def _upgradable(packages: EnginePackages) -> None:
    """Refuse what the kit cannot upgrade."""
    if not packages.owner:
        raise KitError(
            "Docker on the host is of no package: somebody put it there by hand", BY_HAND
        )
    if packages.manager not in MANAGERS:
        raise KitError(
            f"Docker on the host is of the package {packages.owner}, which neither apt nor dnf installed",
            BY_HAND,
        )


def _target(packages: EnginePackages, to: str) -> str:
    """The version to be at, as the package has it."""
    known = dict.fromkeys([*packages.offered, packages.version])
    if not to:
        return next(iter(known))
    wanted = release(to)
    same = [one for one in known if one == to]
    begins = [one for one in known if wanted and release(one)[: len(wanted)] == wanted]
    if found := [*same, *begins]:
        return found[0]
    raise KitError(
        f"the host's package sources have no {packages.owner} of version {to}",
        f"name one that they have: {', '.join([*known][:5])}",
    )


def _understood(want: Want, have: Facts, to: str) -> None:
    """Refuse an engine with which the manager that runs here could not talk."""
    now = have.containers.get(want.manager.container)
    if now:
        image = str((now.get("Config") or {}).get("Image") or want.manager.image)
        want = replace(want, manager=structs.replace(want.manager, image=image))
    least = str(daemon_json.parsed(have).get("min-api-version") or "")
    version = {**have.version, "MinAPIVersion": least or api_version.least_of(release(to))}
    info = {**have.info, "ServerVersion": ".".join(map(str, release(to)))}
    for found in api_version.findings(want, replace(have, info=info, version=version)):
        raise found.error()
