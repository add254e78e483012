"""Which mirror answered what, where a pull failed: Docker itself only tells of the last that it tried."""

from typing import TYPE_CHECKING

from runnerkit.checks.network.mirrors import apart
from runnerkit.checks.network.verdict import SERVES, Word, judged
from runnerkit.errors import KitError
from runnerkit.facts import Facts
from runnerkit.files.mirror_candidates import ADDRESS
from runnerkit.fleet.mirrors.asking import served
from runnerkit.images.content import store
from runnerkit.images.reference import HUB, registry
from runnerkit.machine.machine import Machine
from runnerkit.plan import Pull
from runnerkit.want import Want

if TYPE_CHECKING:
    import docker

FIND = (
    "./inv mirror.probe --host NAME tells which mirrors serve it; name those in [docker] registry_mirrors, "
    'or write registry_mirrors = "auto"'
)


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
    info = client.info()
    listed = (info.get("RegistryConfig") or {}).get("Mirrors") or ()
    mirrors = [str(one).rstrip("/") for one in listed if ADDRESS.fullmatch(str(one))]
    images = [one for one in change.sources if registry(one) == HUB]
    have = Facts(machine.where(), architecture=str(info.get("Architecture")), info=info)
    if not mirrors or not images or apart(want, have):
        return error
    try:
        where = have.architecture, info, want.network, store(info) == "containerd"
        found = judged(served(machine, (*mirrors, HUB), images, *where))
    except KitError:  # sshd does not forward, or the connection broke: the pull's own reason stays
        return error
    lines = [
        f"{one.served.registry} for {one.served.image}: {one.word}{f' ({one.why})' if one.why else ''}"
        for one in found
    ]
    # Docker Hub may be out of reach: where all mirrors have no such image, its name may be wrong.
    answers = [one.word for one in found if one.served.registry != HUB]
    well = all(word is Word.LACKS or word in SERVES for word in answers)
    return KitError("\n  ".join([error.what, *lines]), error.fix if well else FIND)
