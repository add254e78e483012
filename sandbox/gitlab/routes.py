"""Which function answers which request."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from sandbox.gitlab.web import Request, Response
from sandbox.gitlab.world import World

Handler = Callable[[World, Request], Response]


@dataclass(frozen=True)
class Route:
    """An endpoint, its handler and the pattern of its path."""

    endpoint: str  # "GET /runners/:id", without /api/v4
    method: str
    pattern: re.Pattern[str]
    handler: Handler


_routes: list[Route] = []


def route(endpoint: str) -> Callable[[Handler], Handler]:
    """Register a handler for `METHOD /path/:with/:names`."""
    method, path = endpoint.split(" ")

    def register(handler: Handler) -> Handler:
        pattern = re.compile(re.sub(r":(\w+)", r"(?P<\1>[^/]+)", path))
        name = f"{method} {path.removeprefix('/api/v4')}"
        _routes.append(Route(name, method, pattern, handler))
        # `/runners/all` before `/runners/:id`.
        _routes.sort(key=lambda known: known.endpoint.count(":"))
        return handler

    return register


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route of a request and the arguments in its path."""
    for known in _routes:
        if known.method == method and (match := known.pattern.fullmatch(path)):
            return known, {name: unquote(text) for name, text in match.groupdict().items()}
    return None
