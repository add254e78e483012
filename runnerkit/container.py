"""The manager's container as scripts: run, and drained before it is stopped."""

from collections.abc import Iterable

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


def run(want: Want, options: Iterable[str] = (), environment: Iterable[str] = ()) -> str:
    """The script that runs the container.

    Args:
        want: what the manager shall be.
        options: of ``docker run`` besides, which one that it takes the place of had.
        environment: NAME=VALUE besides, likewise.
    """
    return render(
        "run-manager.sh.j2",
        manager=want.manager,
        binds=binds(want),
        more=options,
        environment=environment,
    )


def drain(want: Want) -> str:
    """The script that lets the manager's jobs end, for as long as the settings give them."""
    return render(
        "drain.sh.j2",
        name=want.manager.container,
        timeout=want.manager.stop_timeout,
        elsewhere=want.elsewhere,
    )
