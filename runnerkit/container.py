"""The manager's container as scripts: run, and drained before it is stopped."""

from collections.abc import Iterable, Mapping
from typing import Any

from runnerkit.checks.engine import selinux
from runnerkit.facts import Facts
from runnerkit.plan import Hint
from runnerkit.templates import render
from runnerkit.want import Want

WAITED = Hint(
    "timeout: the jobs", "wait for the jobs, or raise [manager] stop_timeout; then run again"
)


def binds(want: Want) -> tuple[str, ...]:
    """The recipe's mounts, HOST:CONTAINER."""
    return (
        f"{want.manager.config_dir}:/etc/gitlab-runner",
        "/var/run/docker.sock:/var/run/docker.sock",
    )


PORT = 9252  # of the manager's metrics, in the container
# Seconds in which Docker itself stops it. One that crashed waits as long for it before it serves again,
# and a manager with jobs waits for Docker.
STOP = 60


def listens(want: Want, now: Mapping[str, Any]) -> str:
    """Where the manager shall listen, as it sees addresses itself; "" for as it is.

    Args:
        want: what the manager shall be.
        now: its container, empty where there is none.
    """
    return want.manager.metrics if not want.manager.metrics or shares(now) else f":{PORT}"


def shares(now: Mapping[str, Any]) -> bool:
    """Whether a container has the host's network or another container's, and publishes nothing."""
    mode = str(now.get("HostConfig", {}).get("NetworkMode"))
    return mode == "host" or mode.startswith("container:")


def published(want: Want, now: Mapping[str, Any]) -> bool:
    """Whether it is reached on the host as wanted."""
    address, _, port = want.manager.metrics.rpartition(":")
    ports = (now.get("HostConfig", {}).get("PortBindings") or {}).get(f"{PORT}/tcp") or ()
    places = {(one.get("HostIp"), one.get("HostPort")) for one in ports}
    return not port or shares(now) or (address.strip("[]"), port) in places


def run(
    want: Want,
    options: Iterable[str] = (),
    environment: Mapping[str, str] | None = None,
    mounts: Iterable[str] | None = None,
    now: Mapping[str, Any] | None = None,
    settle: str = "",
) -> str:
    """The script that runs the container.

    Args:
        want: what the manager shall be.
        options: of ``docker create`` besides, which one that it takes the place of had.
        environment: variables besides, likewise.
        mounts: the recipe's, with options that they had.
        now: the one that is there, which goes after its jobs.
        settle: what makes it prove itself before that.
    """
    ours = want.manager.environment
    wanted = want.manager.metrics and not shares(now or {})
    publish = [f"--publish={want.manager.metrics}:{PORT}"] * bool(wanted)
    others = {key: value for key, value in (environment or {}).items() if key not in ours}
    return render(
        "run-manager.sh.j2",
        manager=want.manager,
        stop=STOP,
        binds=binds(want) if mounts is None else mounts,
        more=[*(given := list(options)), *publish],
        port=0 if published(want, now or {}) else int(want.manager.metrics.rpartition(":")[2]),
        labelled=selinux.labelled(one.removeprefix("--security-opt=") for one in given),
        environment={**ours, **others},
        drain=drain(want) if now is not None else "",
        settle=settle,
    )


def drain(want: Want, leaves: bool = False) -> str:
    """The script that lets the manager's jobs end, for as long as the settings give them.

    Args:
        want: which manager.
        leaves: it is not wanted again, also where the jobs do not end in time.
    """
    return render(
        "drain.sh.j2",
        name=want.manager.container,
        timeout=want.manager.stop_timeout,
        elsewhere=want.elsewhere,
        leaves=leaves,
    )


def jobs_end(want: Want, have: Facts) -> str:
    """The same where Docker may be started anew, which ends every container; "" without any job."""
    busy = (have.jobs or want.elsewhere) and want.manager.container in have.containers
    return drain(want) if busy else ""


def variables(have: Facts, now: Mapping[str, Any]) -> dict[str, str]:
    """Those of a container, as ``docker inspect`` has it, that are not its image's."""
    known = (image for image in have.images.values() if image["Id"] == now["Image"])
    of_image = ((next(known, {}).get("Config") or {}).get("Env")) or ()
    mine = (one.partition("=") for one in now["Config"]["Env"] or () if one not in of_image)
    return {
        name: value
        for name, _, value in mine
        if name != "PATH" and ("\n" not in value or name.isidentifier())
    }
