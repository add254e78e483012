"""What goes wrong with an engine, or with the connection to it, in words."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException

import docker
from requests import Timeout, TooManyRedirects
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as Silent

from runnerkit.engine.client import PATIENCE, Unopened
from runnerkit.errors import KitError
from runnerkit.machine.failure import AGAIN
from runnerkit.plan import Hint, hint
from runnerkit.printable import clipped
from runnerkit.redact import mask

# What a connection that breaks raises: requests' own errors are OSErrors; in the midst of an answer
# they come as urllib3 or http.client has them, or as JSON cut in half.
BROKEN = (
    OSError,
    EOFError,
    HTTPError,
    HTTPException,
    docker.errors.StreamParseError,
    json.JSONDecodeError,
)
DAMAGED = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
# What an engine says that is at fault itself, and not the image's name or its registry.
HINTS = (
    Hint(": unavailable|context canceled|transport is closing", AGAIN),
    Hint(
        "invalid tar header",
        "the engine cannot unpack layers that are packed by zstd: upgrade Docker on the host to 23 or "
        "newer, or build the image there",
    ),
    Hint(
        "(?i)toomanyrequests|rate limit",
        "the registry serves this address no more for now: set [docker] registry_mirrors, or docker "
        'login on this machine, with "docker.io" in [docker] registry_logins',
    ),
    Hint(
        "(?i)http response to https client",
        "the registry speaks HTTP alone: name it in insecure-registries of [docker] daemon, if it is "
        "to be trusted so",
    ),
    Hint(
        "(?i)x509|certificate signed by unknown",
        "the host's Docker does not trust that registry: put its CA on the host, as "
        "/etc/docker/certs.d/REGISTRY/ca.crt",
    ),
    Hint(
        "(?i)proxyconnect",
        "the proxy of the host's Docker does not answer: correct it there (systemctl show docker -p "
        "Environment, or proxies in daemon.json)",
    ),
    Hint(
        "(?i)no matching manifest",
        "the image is not made for this host's architecture: name one that is",
    ),
    Hint(
        r"\b50[0234] [A-Z]",
        "the registry itself fails or is overloaded: see how it fares, then run again",
    ),
)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn what the SDK and the connection below it raise into words.

    Args:
        what: what the engine was to do.

    Raises:
        KitError: it refuses, it does not answer, or the connection to it broke.
    """
    try:
        yield
    except Unopened as error:
        raise KitError(f"{what}: {error.what}", error.fix) from None
    except docker.errors.DockerException as error:
        raise KitError(
            f"{what}: the Docker engine refuses: {mask(text(error))}",
            fix(text(error), "see the daemon's log on the host: journalctl -u docker"),
        ) from None
    except (Timeout, Silent):
        raise KitError(
            f"{what}: the Docker engine has said nothing for {PATIENCE // 60} minutes",
            "see the daemon's log on the host; a registry or mirror that hangs shows there",
        ) from None
    except TooManyRedirects:
        raise KitError(
            f"{what}: what answers in the Docker engine's place redirects elsewhere",
            "see what that is on the host: ls -l /var/run/docker.sock, docker version",
        ) from None
    except BROKEN:
        raise KitError(f"{what}: the connection to the Docker engine broke", AGAIN) from None
    except DAMAGED as error:
        raise KitError(
            f"{what}: what the Docker engine answers cannot be read: {type(error).__name__}",
            "see on the host that it is Docker's own: docker version, docker info",
        ) from None


def fix(output: str, usual: str) -> str:
    """What to do about what an engine said: `usual`, where it is not at fault itself."""
    return hint(output, (*HINTS, Hint("", usual))).fix


def text(error: Exception) -> str:
    """What an engine said, in a line."""
    return " ".join(clipped(str(getattr(error, "explanation", None) or error)).split())
