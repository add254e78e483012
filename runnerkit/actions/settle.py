"""A manager that has just taken another's place proves itself, or the one before is put back."""

from collections.abc import Mapping
from typing import Any

from runnerkit import container
from runnerkit.checks.gitlab import acceptance
from runnerkit.facts import SETTLED, Facts
from runnerkit.files import config_toml, previous
from runnerkit.place import DRAINED
from runnerkit.redact import plain
from runnerkit.templates import render
from runnerkit.want import Want

PROOF = 60  # seconds that a new manager has to come up and be accepted
PUT_BACK = 75  # the exit code where it did not, and the one before runs again


def before(want: Want, have: Facts) -> Mapping[str, Any] | None:
    """The container that was before the manager's, until that has proven itself; None where it has."""
    return have.containers.get(f"{want.manager.container}.before")


def newest(want: Want, have: Facts) -> Mapping[str, Any]:
    """The manager's container; the one that was about to get its name, where a run was cut off."""
    name = want.manager.container
    return have.containers.get(name) or have.containers.get(f"{name}.next") or {}


def script(want: Want, have: Facts, old: Mapping[str, Any], image: str) -> str:
    """The script that starts the manager and has it prove itself, or puts the one before back.

    Args:
        want: what the manager is.
        have: the host; as many of its runners as GitLab accepts there now, it must accept again.
        old: the one before.
        image: the id of the manager's image.
    """
    kept = previous.after(want, have, old, image)
    known = len(acceptance.ACCEPTED.findall(plain(have.verify)))
    entries = config_toml.parsed(want, have).get("runners")
    return render(
        "settle-manager.sh.j2",
        name=want.manager.container,
        accepted=known or int(bool(entries)),
        settled=SETTLED,
        limit=PROOF,
        put_back=PUT_BACK,
        drained=DRAINED in have.files,
        drain=container.drain(want),
        keep=kept.id if kept.image else "",
        tag=previous.tag(want),
        remember=previous.written(want, have, kept),
    )
