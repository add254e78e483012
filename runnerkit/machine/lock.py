"""The host's lock, by a channel that dies with the run: one run at a time, and whose it is."""

import getpass
import socket
from collections.abc import Callable
from datetime import UTC, datetime

from runnerkit.errors import KitError
from runnerkit.machine.machine import Machine
from runnerkit.machine.streams import Pipe
from runnerkit.place import LOCK, LOCKS, PATIENCE, WORK

FOLDER = f"mkdir -p -m 700 {LOCKS}"
TAKE = (
    f"IFS= read -r owner; {FOLDER}; exec 9>>{LOCK}; "
    f'if flock -n 9; then : >{LOCK}; echo "$owner" >&9; '
    f"exec 8>>{WORK}; flock -n 8 || {{ echo waiting; timeout {PATIENCE} flock 8; }} || "
    f"{{ cat {WORK}; exit; }}; exec 8>&-; echo locked; cat >/dev/null; else cat {LOCK}; fi"
)


def take(machine: Machine, waiting: Callable[[], None]) -> Pipe:
    """Lock a host; the lock is held until what is returned is closed.

    Args:
        machine: the host.
        waiting: called where a cut-off run's script still goes on there, which is waited for.

    Raises:
        KitError: another run holds it; whose.
    """
    pipe = machine.open(TAKE)
    owner = f"{getpass.getuser()}@{socket.gethostname()} since {datetime.now(UTC):%F %T} UTC"
    pipe.sendall(f"{owner}\n".encode())
    answer = pipe.recv(4096).decode(errors="replace").strip()
    if answer == "waiting":
        waiting()
        answer = pipe.recv(4096).decode(errors="replace").strip()
    answer = answer.removeprefix("waiting").strip()
    if answer != "locked":
        pipe.close()
        _ = machine.transport  # that it broke is the better reason
        if not answer:
            raise KitError(
                f"the host's lock, {LOCK}, cannot be taken there",
                "see that /run on the host can be written to, and that it has flock (of util-linux)",
            )
        raise KitError(
            f"another run holds the host: {answer}",
            "wait for it to end, the lock goes with it; or end it on the host",
        )
    return pipe


def alone(script: str) -> str:
    """The script, begun when what a cut-off run left going has ended, and seen by the next one."""
    busy = f'{{ echo "the host is still busy with $(cat {WORK})" >&2; exit 1; }}'
    mine = f': >{WORK}; echo "a script of process $$ since $(date -u "+%F %T") UTC" >&8'
    begin = f"{FOLDER}; exec 8>>{WORK}; timeout {PATIENCE} flock 8 || {busy}\n{mine}"
    return f"{begin}\n(\n{script}\n) 8>&-"
