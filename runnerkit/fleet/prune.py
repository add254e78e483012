"""Room made on many hosts."""

from runnerkit import resolve
from runnerkit.actions import prune
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
        host.look("echo")  # sudo's password is asked for here, where it is wanted
        if not dry:
            host.lock()
        script = Script("make room", prune.script(wanted, force, dry), hints=prune.HINTS)
        return prune.parse(host.script(wanted, script))

    wanted = resolve.of_images(fleet.settings, "")
    return fleet.each({target.name: wanted for target in fleet.targets}, work)
