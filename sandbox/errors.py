"""How the sandbox fails: one line of what, one line of what to do next."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import docker.errors
import requests

from runnerkit.errors import KitError

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
BOOKKEEPING = ("Step ", "--->", "Removing intermediate container ")


class SandboxError(KitError):
    """The sandbox cannot be put up, or a part of it does not come to life."""


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """What the Docker SDK raises, as a SandboxError."""
    try:
        yield
    except docker.errors.BuildError as error:
        output = COLOUR.sub("", "".join(str(line.get("stream", "")) for line in error.build_log))
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        relevant = [line for line in lines if not line.startswith(BOOKKEEPING)]
        why = [line for line in relevant if line.startswith("E: ")] or relevant or [str(error.msg)]
        raise SandboxError(
            f"{doing}: {why[-1]}",
            "put that right (or see that this machine reaches its package archive), run it again",
        ) from error
    except (docker.errors.DockerException, requests.RequestException) as error:
        explained = getattr(error, "explanation", None) or error
        raise SandboxError(
            f"{doing}: {explained}", "`./inv sandbox.down`, then run it again"
        ) from error
