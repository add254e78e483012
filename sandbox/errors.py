"""How the sandbox fails: one line of what, one line of what to do next."""

from collections.abc import Iterator
from contextlib import contextmanager

import docker.errors
import requests

from runnerkit.errors import KitError


class SandboxError(KitError):
    """The sandbox cannot be put up, or a part of it does not come to life."""


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """What the Docker SDK raises, as a SandboxError."""
    try:
        yield
    except docker.errors.BuildError as error:
        tail = [str(line["stream"]).strip() for line in error.build_log if "stream" in line]
        raise SandboxError(
            f"{doing}: {error.msg} (last: {'; '.join(filter(None, tail[-8:]))[-400:]})",
            "see that this machine reaches the package archive, then run it again",
        ) from error
    except (docker.errors.DockerException, requests.RequestException) as error:
        explained = getattr(error, "explanation", None) or error
        raise SandboxError(
            f"{doing}: {explained}", "`invoke sandbox.down`, then run it again"
        ) from error
