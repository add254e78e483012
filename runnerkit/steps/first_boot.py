"""A machine made from the image registers itself at its first boot, and leaves at its last shutdown.

Only put in place and enabled here: it is each machine made from the image that starts it. A machine
for an autoscaler never registers: its manager, elsewhere, hands it jobs over SSH.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from msgspec import structs

from runnerkit import container
from runnerkit.errors import KitError
from runnerkit.facts import Facts, File, Needs
from runnerkit.files import config_toml
from runnerkit.files.config_toml import inline
from runnerkit.files.write import Content, differing
from runnerkit.place import PROGRAMS, UNITS
from runnerkit.plan import Change, Hint, Script
from runnerkit.settings.tokens import WRONG_KIND
from runnerkit.templates import render
from runnerkit.want import Want, WantedRunner

FIRST_BOOT, LEAVE = f"{PROGRAMS}/first-boot", f"{PROGRAMS}/leave"
SERVICE = f"{UNITS}/runnerkit-first-boot.service"
LEAVE_SERVICE = f"{UNITS}/runnerkit-leave.service"  # enabled at first boot, where it is asked for
HOST_KEYS = f"{UNITS}/ssh-host-keys.service"
# systemd gives the whole of a shutdown half an hour, whatever a unit says that it needs.
WHOLE_SHUTDOWN = 1800  # s
PATIENT = tuple(f"{UNITS}/{one}.target.d/runnerkit.conf" for one in ("poweroff", "reboot"))
# Where a machine finds its secret, in this order; after the credential of systemd.
TOKENS = ("/run/runnerkit/token", "/etc/runnerkit/token")
COMMAND = "/etc/runnerkit/token-command"
VALUES = ("/etc/runnerkit/first-boot.env", "/run/runnerkit/first-boot.env")
HINTS = (Hint("", "systemctl status of these units on the host tells more"),)
ENABLE = "set -e\nsystemctl daemon-reload\nsystemctl enable "
POWER_OFF = "/run/runnerkit/power-off"
DRAIN_MORE = 180  # s at shutdown beyond what jobs get: to notice that they ended, and to leave


def needs(want: Want) -> Needs:
    return Needs(files=(*_files(want), *map(_link, units(want))))


def changes(want: Want, have: Facts) -> Iterator[Change]:
    if not have.systemd:
        raise KitError(
            "the host has no systemd, which first boot needs",
            "choose a machine with systemd, or set its runner up with ./inv bootstrap --host HOST",
        )
    if "debian" not in (have.os.get("ID"), *have.os.get("ID_LIKE", "").split()):
        raise KitError(
            f"an image of {have.os.get('PRETTY_NAME', 'an unnamed distribution')} cannot be made",
            "choose a base that is Debian or Ubuntu, or set such machines up with ./inv bootstrap --host HOST",
        )
    yield from differing(_files(want), have.files)
    if missing := [unit for unit in units(want) if _link(unit) not in have.files]:
        script = ENABLE + " ".join(units(want))
        yield Script(f"enable {', '.join(missing)}", script, hints=HINTS)


def registering_runner(want: Want) -> WantedRunner | None:
    """The runner that each machine registers; None where an autoscaler makes the machines.

    Raises:
        KitError: there is one that registers, and others.
    """
    own = [runner for runner in want.runners if not runner.elsewhere]
    if own and len(want.runners) > 1:
        names = ", ".join(runner.key for runner in want.runners)
        raise KitError(
            f"an image is for one runner, or for those of autoscalers, and the settings have {names}",
            f'say which: [golden] runners = ["{own[0].key}"]',
        )
    return own[0] if own else None


def units(want: Want) -> tuple[str, ...]:
    """What systemd starts at every boot."""
    started = (SERVICE, HOST_KEYS) if registering_runner(want) else (HOST_KEYS,)
    return tuple(path.rpartition("/")[2] for path in started)


def _link(unit: str) -> str:
    return f"{UNITS}/multi-user.target.wants/{unit}"


def _files(want: Want) -> dict[str, Content]:
    """What shall stand where. The programs hold settings, which may be secrets."""
    keys = {HOST_KEYS: Content(render("ssh-host-keys.service"))}
    if not (runner := registering_runner(want)):
        return keys
    seconds = want.manager.stop_timeout + DRAIN_MORE
    patience = f"[Unit]\nJobTimeoutSec={seconds + WHOLE_SHUTDOWN}\n"
    return {
        FIRST_BOOT: Content(first_boot(want, runner), 0o700),
        LEAVE: Content(leave(want), 0o700),
        SERVICE: Content(render("first-boot.service")),
        LEAVE_SERVICE: Content(render("leave.service.j2", seconds=seconds)),
        **dict.fromkeys(PATIENT, Content(patience)),
        **keys,
    }


def first_boot(want: Want, runner: WantedRunner) -> str:
    """The program that registers a machine and starts its manager."""
    # A manager's share of the processors is that of the machine it runs on, not of this one.
    auto = want.manager.concurrent in ("auto", None) and "concurrent" not in want.manager.settings
    spec = structs.replace(want.manager, concurrent=None) if auto else want.manager
    there = Facts(hostname="", files={want.config: File(b"", 0o600, 0)})
    return render(
        "first-boot.sh.j2",
        want=want,
        runner=runner,
        auto=auto,
        head=config_toml.edited("", replace(want, manager=spec), there, {}),
        template=render("config.toml.j2", entry=config_toml.runner_wanted(runner), toml=inline),
        run_manager=container.run(want),
        tokens=TOKENS,
        command=COMMAND,
        values=VALUES,
        wrong={
            key: re.split("[:,]", kind)[0] for key, kind in WRONG_KIND.items() if key != "glrt-"
        },
    )


def leave(want: Want) -> str:
    """The program that drains the manager at shutdown and takes it off GitLab."""
    manager = want.manager
    return render(
        "leave.sh.j2",
        want=want,
        name=manager.container,
        timeout=manager.stop_timeout,
        leaves=True,
    )


def seal(want: Want, user: str) -> str:
    """The last script of a bake, run as root; `sh POWER_OFF` then ends it.

    Args:
        want: where the manager keeps its files.
        user: the build's user, deleted when the machine powers off; "" for none.
    """
    return render("seal.sh.j2", want=want, user=user, tokens=TOKENS, power_off=POWER_OFF)
