"""How the manager takes up a new config.toml: shell lines before and after the file is written."""

from collections.abc import Mapping
from typing import Any

from runnerkit.facts import Facts
from runnerkit.files.config_toml import parsed
from runnerkit.templates import render
from runnerkit.want import Want


def lines(want: Want, have: Facts, now: Mapping[str, Any], restart: bool) -> tuple[str, str]:
    """Those before, and those after.

    Args:
        want: what the host should be.
        have: the host.
        now: its config.toml.
        restart: whether a manager that runs would not take all of it up.
    """
    name = want.manager.container
    running = have.runs(name)
    if have.restarts(name):  # Docker waits longer and longer before it starts it again
        return "", f"docker restart {name} >/dev/null"
    if restart and running:
        return render("stop-manager.sh.j2", name=name, timeout=want.manager.stop_timeout), ""
    if running and not any("autoscaler" in one for one in now.get("runners", ())):
        # It would look at the file within 3 s by itself; and PID 1 hands the signal on to an
        # autoscaler's plugin, which would end by it.
        return "", f"docker exec {name} sh -c 'kill -HUP 1' || :"
    return "", ""


def round_of(want: Want, have: Facts) -> int:
    """Seconds in which a manager has asked for jobs of each runner that it had: commands/multi.go."""
    interval = parsed(want, have).get("check_interval")
    return 1 + (interval if isinstance(interval, int) and 0 < interval < 60 else 3)
