"""Room is made on the host by itself, as often as [prune] schedule says; without one, never.

By a timer of systemd; where there is none, by a script in a directory that cron goes through.
"""

from collections.abc import Iterator

from runnerkit.actions import prune
from runnerkit.errors import KitError
from runnerkit.facts import Facts, Needs
from runnerkit.files.write import Content, differing
from runnerkit.place import PROGRAMS, UNITS
from runnerkit.plan import Change, Hint, Script
from runnerkit.templates import render
from runnerkit.want import Want

PROGRAM = f"{PROGRAMS}/prune"
SERVICE, TIMER = f"{UNITS}/runnerkit-prune.service", f"{UNITS}/runnerkit-prune.timer"
ENABLED = f"{UNITS}/timers.target.wants/runnerkit-prune.timer"
DELAYS = {"hourly": "5min", "daily": "1h", "weekly": "6h"}  # so that not all hosts start at once
# Debian's and Fedora's cron, Alpine's.
CRON = tuple(
    f"/etc/{where}{often}/runnerkit-prune" for where in ("cron.", "periodic/") for often in DELAYS
)
START = """set -e
systemctl daemon-reload
systemctl enable runnerkit-prune.timer
systemctl restart runnerkit-prune.timer"""
STOP = "systemctl disable --now runnerkit-prune.timer"
STAMP = "/var/lib/systemd/timers/stamp-runnerkit-prune.timer"  # of its last run
HINTS = (Hint("", "systemctl status runnerkit-prune.timer on the host tells more"),)


def needs(want: Want) -> Needs:
    units = tuple(path.rpartition("/")[2] for path in (TIMER, SERVICE))
    return Needs(files=(PROGRAM, SERVICE, TIMER, ENABLED, *CRON), units=units)


def changes(want: Want, have: Facts) -> Iterator[Change]:
    wanted = _files(want, have)
    ours = (PROGRAM, SERVICE, TIMER, *CRON)
    if over := [path for path in ours if path in have.files and path not in wanted]:
        yield _remove(over)
    yield from differing(wanted, have.files)
    units = {key: wanted[key] for key in (SERVICE, TIMER) if key in wanted}
    timer, service = (have.units.get(path.rpartition("/")[2]) for path in (TIMER, SERVICE))
    runs = timer == "active" and service != "older" and ENABLED in have.files
    waits = runs and not list(differing(units, have.files))
    if TIMER in wanted and not waits:
        yield Script("start runnerkit-prune.timer", START, hints=HINTS)


def _files(want: Want, have: Facts) -> dict[str, Content]:
    """What shall stand where, in the order in which it is written."""
    often = want.prune.schedule
    if not often:
        return {}
    program = {PROGRAM: Content(prune.script(want, scheduled=True), 0o755)}
    if have.systemd:
        timer = render("prune.timer.j2", schedule=often, delay=DELAYS[often])
        return {**program, SERVICE: Content(render("prune.service")), TIMER: Content(timer)}
    places = [path for path in CRON if path.rsplit("/", 1)[0] in have.cron and often in path]
    if not places:
        raise KitError(
            f"the host can do nothing {often}: it has no systemd, and no cron runs there",
            "install and start cron on the host, or leave [prune] schedule out",
        )
    return {**program, places[0]: Content(render("prune.cron"), 0o755)}


def _remove(paths: list[str]) -> Script:
    lines = [f"rm -f {' '.join(paths)}"]
    if TIMER in paths:
        lines = [STOP, f"{lines[0]} {STAMP}", "systemctl daemon-reload"]
    if PROGRAM in paths:
        lines.append(f"rmdir {PROGRAM.rpartition('/')[0]} 2>/dev/null || :")
    return Script(f"remove {', '.join(paths)}", "\n".join(["set -e", *lines]), hints=HINTS)
