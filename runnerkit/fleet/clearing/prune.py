"""Room made on many hosts."""

from runnerkit import resolve
from runnerkit.actions import prune
from runnerkit.errors import KitError
from runnerkit.fleet.host import Host
from runnerkit.fleet.run import Fleet, Outcome
from runnerkit.plan import Script
from runnerkit.want import Want


def make_room(fleet: Fleet, force: bool, dry: bool) -> list[Outcome[prune.Pruned]]:
    """Remove what no job needs, where the disk is too full; the settings say when and how much.

    Args:
        fleet: the hosts.
        force: remove all that may go, however much of the disk is free.
        dry: only tell what would go.
    """

    def work(host: Host, wanted: Want) -> prune.Pruned:
        host.look("docker --version")  # sudo's password is asked for here, where it is wanted
        if not dry:
            host.lock()
        text = prune.script(wanted, force, dry)
        script = Script("make room", text, hints=prune.HINTS, recorded=False)
        try:
            pruned = prune.parse(host.script(wanted, script))
        except KitError:
            host.hold.record([(1, script.title)])
            raise
        if pruned.removed:
            names = ", ".join(f"{one.kind} {one.name}" for one in pruned.removed)
            host.hold.record([(0, f"make room: remove {names}")])
        return pruned

    wanted = resolve.of_images(fleet.settings, "")
    return fleet.each({target.name: wanted for target in fleet.targets}, work)
