"""The whole server: `with serve(Seed(...)) as gitlab: print(gitlab.url)`."""

import time
from collections.abc import Callable

from sandbox.gitlab.calls import admin, admin_jobs, admin_runners, control, jobs, runners
from sandbox.gitlab.http.server import Server
from sandbox.gitlab.seed import Seed
from sandbox.gitlab.state import State

ROUTES = [
    *runners.ROUTES,
    *jobs.ROUTES,
    *admin.ROUTES,
    *admin_runners.ROUTES,
    *admin_jobs.ROUTES,
    *control.ROUTES,
]


def serve(
    seed: Seed,
    listen: tuple[str, int] = ("127.0.0.1", 0),
    url: str = "",
    clock: Callable[[], float] = time.time,
) -> Server:
    """A server that listens from now on, and answers inside a `with` block.

    Args:
        seed: what it starts with.
        listen: address and port; port 0 is any that is free.
        url: what it calls itself in jobs and links; the address it listens on unless given.
        clock: seconds since 1970.
    """
    server = Server(listen, ROUTES)
    host, port = server.server_address[:2]
    server.state = State(seed, url.rstrip("/") or f"http://{host!s}:{port}", clock)
    return server
