"""Which function answers which request."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from sandbox.gitlab.http.web import Request, Response
from sandbox.gitlab.state import State

Handler = Callable[[State, Request], Response]


@dataclass(frozen=True)
class Route:
    """`METHOD /path/:with/:names` and its handler."""

    text: str
    handler: Handler

    @property
    def endpoint(self) -> str:
        """What counters and ordered failures call it: "GET /runners/:id"."""
        return self.text.replace("/api/v4", "")

    def arguments(self, method: str, path: str) -> dict[str, str] | None:
        """The names of its path with their values, if it fits."""
        own, _, pattern = self.text.partition(" ")
        match = re.fullmatch(re.sub(r":(\w+)", r"(?P<\1>[^/]+)", pattern), path)
        if own != method or not match:
            return None
        return {name: unquote(text) for name, text in match.groupdict().items()}


def find(routes: Iterable[Route], method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The first route that fits a request, and the arguments in its path."""
    for route in routes:
        arguments = route.arguments(method, path)
        if arguments is not None:
            return route, arguments
    return None
