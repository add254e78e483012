"""Which mirror answered what, where a pull failed: Docker itself only tells of the last that it tried."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from runnerkit.checks.network.mirrors import apart
from runnerkit.checks.network.verdict import SERVES, Judgement, Word, judged
from runnerkit.errors import KitError
from runnerkit.facts import Facts
from runnerkit.files.mirror_candidates import ADDRESS
from runnerkit.fleet.mirrors.asking import served
from runnerkit.images.reference import HUB, registry
from runnerkit.machine.machine import Machine
from runnerkit.plan import Pull
from runnerkit.want import Want

if TYPE_CHECKING:
    import docker

FIND = (
    "./inv mirror.probe --host HOST tells which mirrors serve it; name those in [docker] registry_mirrors, "
    'or write registry_mirrors = "auto"'
)
NAME = "check the name and the tag; ./inv mirror.probe --host HOST tells what the mirrors serve"


def explained(
    machine: Machine, client: "docker.APIClient", want: Want, change: Pull, error: KitError
) -> KitError:
    """The failure with a line for each mirror of the host's Docker.

    Args:
        machine: the host.
        client: its engine.
        want: what the host should be.
        change: the pull.
        error: how it failed.
    """
    if not (found := _answers(machine, client, want, change)):
        return error
    # Docker Hub may be out of reach: where all mirrors have no such image, its name may be wrong.
    answers = [one.word for one in found if one.served.registry != HUB]
    well = all(word is Word.LACKS or word in SERVES for word in answers)
    return KitError("\n  ".join([error.what, *_lines(found)]), error.fix if well else FIND)


def foreseen(machine: Machine, client: "docker.APIClient", want: Want, change: Pull) -> None:
    """Ask for the image of a pull that is only planned.

    Raises:
        KitError: nobody of whom the host's Docker would ask for it serves it.
    """
    if any(registry(one) != HUB for one in change.sources):
        return  # another may have it
    found = _answers(machine, client, want, change, alone=True)
    if not found or any(one.word in SERVES for one in found):
        return
    what = f"the host could not pull {change.image}: nobody that its Docker asks serves it"
    fix = NAME if all(one.word in (Word.LACKS, Word.DEAD) for one in found) else FIND
    raise KitError("\n  ".join([what, *_lines(found)]), fix)


def _answers(
    machine: Machine, client: "docker.APIClient", want: Want, change: Pull, alone: bool = False
) -> tuple[Judgement, ...]:
    """What the mirrors of the host's Docker and Docker Hub answer, the latter also `alone`; nothing
    where they cannot be asked as Docker asks them."""
    info = client.info()
    listed = (info.get("RegistryConfig") or {}).get("Mirrors") or ()
    mirrors = [str(one).rstrip("/") for one in listed if ADDRESS.fullmatch(str(one))]
    images = [one for one in change.sources if registry(one) == HUB]
    have = Facts(machine.where(), architecture=str(info.get("Architecture")), info=info)
    if not images or not (mirrors or alone) or apart(want, have):
        return ()
    try:
        asked, access = (*mirrors, HUB), want.network
        return judged(served(machine, asked, images, have.architecture, info, access))
    except KitError:  # sshd does not forward, or the connection broke: the pull's own reason stays
        return ()


def _lines(found: Iterable[Judgement]) -> Iterator[str]:
    for one in found:
        why = f" ({one.why})" if one.why else ""
        yield f"{one.served.registry} for {one.served.image}: {one.word}{why}"
