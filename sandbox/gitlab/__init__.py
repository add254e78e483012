"""A miniature GitLab: the coordinator's protocol and the administrators' API of runners.

    with serve(Seed(...)) as gitlab:
        print(gitlab.url)

It keeps everything in memory, and has a control interface under /sandbox/ (control.py).
"""

import time
from collections.abc import Callable

from sandbox.gitlab import (
    admin_projects,
    admin_runners,
    admin_user,
    artifact_calls,
    control,
    job_calls,
    runner_calls,
    trace_calls,
)
from sandbox.gitlab.seed import AccessToken, Project, Seed
from sandbox.gitlab.server import Server
from sandbox.gitlab.world import World

__all__ = ["AccessToken", "Project", "Seed", "Server", "serve"]

# Importing these modules registers their routes.
HANDLERS = (
    admin_projects,
    admin_runners,
    admin_user,
    artifact_calls,
    control,
    job_calls,
    runner_calls,
    trace_calls,
)


def serve(
    seed: Seed,
    listen: tuple[str, int] = ("127.0.0.1", 0),
    url: str = "",
    clock: Callable[[], float] = time.time,
) -> Server:
    """A server that listens from now on, and answers inside a `with` block.

    `url` is what it calls itself in jobs and links; the address it listens on unless given.
    """
    server = Server(listen)
    host, port = server.server_address[:2]
    server.world = World(seed, url.rstrip("/") or f"http://{host!s}:{port}", clock)
    return server
