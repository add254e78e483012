"""The manager's container as scripts: run, and drained before it is stopped."""

from collections.abc import Iterable, Mapping
from typing import Any

from runnerkit.checks import selinux
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


def run(
    want: Want,
    options: Iterable[str] = (),
    environment: Mapping[str, str] | None = None,
    mounts: Iterable[str] | None = None,
    replaces: bool = False,
) -> str:
    """The script that runs the container.

    Args:
        want: what the manager shall be.
        options: of ``docker create`` besides, which one that it takes the place of had.
        environment: variables besides, likewise.
        mounts: the recipe's, with options that they had.
        replaces: whether one is there, which goes after its jobs.
    """
    ours = want.manager.environment
    others = {key: value for key, value in (environment or {}).items() if key not in ours}
    return render(
        "run-manager.sh.j2",
        manager=want.manager,
        binds=binds(want) if mounts is None else mounts,
        more=(given := list(options)),
        labelled=selinux.labelled(one.removeprefix("--security-opt=") for one in given),
        environment={**ours, **others},
        drain=drain(want) if replaces else "",
    )


def drain(want: Want) -> str:
    """The script that lets the manager's jobs end, for as long as the settings give them."""
    return render(
        "drain.sh.j2",
        name=want.manager.container,
        timeout=want.manager.stop_timeout,
        elsewhere=want.elsewhere,
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
