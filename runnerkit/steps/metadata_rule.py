"""Containers are kept from the cloud's metadata address, by which a job would be the machine itself.

By a rule in DOCKER-USER, and a unit that sets it again with every start of Docker. What escapes it is
told by checks/metadata_address.py.
"""

import re
from collections.abc import Iterator

from runnerkit.checks.jobs import metadata_address
from runnerkit.facts import Facts, Needs
from runnerkit.files.write import Content, differing
from runnerkit.place import PROGRAMS, UNITS
from runnerkit.plan import Change, Hint, Script
from runnerkit.templates import render
from runnerkit.want import Want

NAME = "runnerkit-metadata.service"
PROGRAM, UNIT = f"{PROGRAMS}/metadata", f"{UNITS}/{NAME}"
CHAIN = "DOCKER-USER"
RULE = r"-d 169\.254\.169\.254/32 .*-j REJECT"
HINTS = (
    Hint(
        "DOCKER-USER|control process exited",
        'let Docker have its iptables rules (daemon.json, iptables), or set metadata = "open" in [docker]',
    ),
    Hint("", f"systemctl status {NAME} on the host tells more"),
)
START = f"""set -e
systemctl daemon-reload
systemctl enable {NAME}
systemctl restart {NAME}"""
REMOVE = f"""set -e
systemctl disable --now {NAME} 2>/dev/null || :
[ ! -e {PROGRAM} ] || sh {PROGRAM} open
rm -f {UNIT} {PROGRAM}
systemctl daemon-reload 2>/dev/null || :
rmdir {PROGRAMS} 2>/dev/null || :"""


def needs(want: Want) -> Needs:
    chains = (CHAIN,) if want.metadata_closed else ()
    return Needs(files=(PROGRAM, UNIT), units=(NAME,), chains=chains)


def changes(want: Want, have: Facts) -> Iterator[Change]:
    if not want.metadata_closed or metadata_address.escapes(have):
        if UNIT in have.files:
            yield Script("open the metadata address to containers", REMOVE, hints=HINTS)
        return
    stale = list(differing(_files(), have.files))
    yield from stale
    flushed = not re.search(RULE, have.rules.get(CHAIN, ""))
    if stale or flushed or have.units.get(NAME) != "active":
        yield Script("close the metadata address to containers", START, hints=HINTS)


def _files() -> dict[str, Content]:
    return {
        PROGRAM: Content(render("metadata.sh"), 0o755),
        UNIT: Content(render("metadata.service")),
    }
