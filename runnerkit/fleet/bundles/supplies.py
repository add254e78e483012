"""Parts of a bundle brought to a host before a script that needs them."""

from runnerkit.errors import KitError
from runnerkit.events import Progress, Tell
from runnerkit.machine import upload
from runnerkit.machine.machine import Machine
from runnerkit.plan import Supply


def send(machine: Machine, supply: Supply, tell: Tell) -> None:
    """Bring them.

    Raises:
        KitError: the bundle has not got one of them, or the host does not take them.
    """
    names = machine.run(supply.asks).split() if supply.asks else list(supply.parts)
    if unknown := [name for name in names if name not in supply.parts]:
        raise KitError(f"{supply.bundle.file} has no {unknown[0]}", "make the bundle anew")
    members = [supply.parts[name] for name in names]
    upload.send(
        machine,
        upload.of_bundle(supply.bundle, members),
        lambda done, total: tell(Progress(done, total, "the bundle")),
    )
