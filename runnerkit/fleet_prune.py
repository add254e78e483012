"""Room made on many hosts."""

from dataclasses import asdict

from runnerkit import prune, want
from runnerkit.fleet import Outcome, Say, each
from runnerkit.host import Host
from runnerkit.plan import Hint, Script
from runnerkit.settings import Settings
from runnerkit.targets import Target
from runnerkit.want import Want

HINTS = (
    Hint("docker does not answer|docker: not found", "./inv bootstrap sets Docker up"),
    Hint("", "what it said tells; what was removed until then stays removed"),
)


def make_room(
    targets: list[Target], settings: Settings, accept: bool, say: Say, force: bool, dry: bool
) -> list[Outcome]:
    """Remove what no job needs, where the disk is too full.

    Args:
        targets: the hosts.
        settings: `prune` says when and how much.
        accept: whether an SSH host key seen for the first time is accepted.
        say: told each thing that goes.
        force: remove all that may go, however much of the disk is free.
        dry: only tell what would go.
    """

    def work(host: Host, wanted: Want, outcome: Outcome) -> None:
        host.look("echo")  # sudo's password is asked for here, where it is wanted
        if not dry:
            host.lock()
        script = Script("make room", prune.script(wanted, force, dry), hints=HINTS)
        outcome.pruned = asdict(prune.parse(host.script(wanted, script)))

    wanted = want.of_images(settings, "")
    return each(targets, settings, {t.name: wanted for t in targets}, accept, say, work)
