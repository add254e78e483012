"""Docker itself upgraded on many hosts."""

from dataclasses import dataclass

from runnerkit import converge
from runnerkit.actions.engine_upgrade import RENEW, EngineUpgrade
from runnerkit.checks.finding import Finding, Level
from runnerkit.checks.gitlab import acceptance
from runnerkit.checks.runner import managers
from runnerkit.events import Phase
from runnerkit.files import outside
from runnerkit.files.package_hints import INSTALL_HINTS
from runnerkit.fleet.act import act
from runnerkit.fleet.bootstrap import wants
from runnerkit.fleet.host import Host
from runnerkit.fleet.run import Fleet, Outcome, Unfinished
from runnerkit.plan import Change
from runnerkit.steps import docker_engine
from runnerkit.templates import render
from runnerkit.want import Want


@dataclass(frozen=True)
class EngineState:
    """The engine's version before and now, what is held, and what is to be noted; in a dry run what
    would be changed."""

    before: str
    after: str
    held: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    pending: tuple[Change, ...] = ()


def upgrade(fleet: Fleet, to: str, dry: bool) -> list[Outcome[EngineState]]:
    """Upgrade Docker on every host, and prove that it answers and GitLab accepts the manager.

    Args:
        fleet: the hosts.
        to: the version; "" for the best that the hosts' package sources have.
        dry: only plan.
    """
    action = EngineUpgrade(to, INSTALL_HINTS)

    def work(host: Host, want: Want) -> EngineState:
        host.tell(Phase("renewing the package index"))
        host.look(outside.exports(want) + render(RENEW), INSTALL_HINTS)
        have = converge.look(host, want, (action,))
        before = str(have.info.get("ServerVersion", ""))
        # What a run that was cut off has left is first brought to an end.
        cut_off = have.unpacked or (have.dockerd and not have.docker_runs)
        steps: tuple[converge.Step, ...] = (action, docker_engine) if cut_off else (action,)
        acted = act(host, want, steps, dry)
        have = acted.have
        if dry:
            held = tuple(sorted(have.packages.held))
            return EngineState(before, before, held, (), acted.pending)
        after = str(have.info.get("ServerVersion", ""))
        found = [*managers.findings(want, have), *acceptance.findings(want, have)]
        state = EngineState(before, after, tuple(sorted(have.packages.held)), tuple(found))
        for one in found:
            if one.level is Level.ERROR:
                raise Unfinished(one.error(), state)
        return state

    known, token = wants(fleet, empty=True)
    return fleet.each(known, work, token)
