"""What a handler is given, what it gives back, and how it says no."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from functools import cached_property
from http import HTTPStatus
from urllib.parse import parse_qsl

from sandbox.gitlab.http.params import Params


class Refusal(Exception):
    """An answer that is not a success; the body is GitLab's, key for key."""

    def __init__(
        self, status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, body)
        self.response = Response(status, body, headers or {})


def refuse(status: int, reason: str = "", headers: Mapping[str, str] | None = None) -> Refusal:
    """`{"message": "403 Forbidden - reason"}`."""
    tail = f" - {reason}" if reason else ""
    return Refusal(status, {"message": f"{status} {HTTPStatus(status).phrase}{tail}"}, headers)


def missing(noun: str) -> Refusal:
    """`{"message": "404 Runner Not Found"}`."""
    return Refusal(404, {"message": f"404 {noun} Not Found"})


@dataclass(frozen=True)
class Response:
    """An answer in JSON, or in plain `text`; status 0 cuts the connection."""

    status: int
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    text: bytes | None = None

    @property
    def kind(self) -> str:
        """What the body is."""
        return "application/json" if self.text is None else "text/plain"

    def encoded(self) -> bytes:
        """The body; as JSON also where there is none, which the runner would take for no success."""
        if self.text is not None:
            return self.text
        return json.dumps(self.status if self.body is None else self.body).encode()


@dataclass(frozen=True)
class Request:
    """One request, read to its end."""

    method: str
    path: str
    query: str
    headers: Message
    body: bytes
    peer: str
    alive: Callable[[], bool]
    args: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def params(self) -> Params:
        """Those of the query and of a JSON or form body as one, as GitLab sees them."""
        values = _pairs(self.query)
        if self.headers.get_content_type() == "application/x-www-form-urlencoded":
            values |= _pairs(self.body.decode(errors="replace"))
        if self.body and self.headers.get_content_type() == "application/json":
            try:
                sent = json.loads(self.body)
            except ValueError:
                raise refuse(400, "the body is not valid JSON") from None
            if isinstance(sent, dict):
                values |= sent
        return Params(values)

    def number(self, name: str) -> int:
        """A number of the path; what is no number names nothing, and is answered 404."""
        text = self.args[name]
        if not text.isdecimal():
            raise refuse(404)
        return int(text)


def _pairs(encoded: str) -> dict[str, object]:
    """`a=1&b[]=2&b[]=3` as {"a": "1", "b": ["2", "3"]}."""
    values: dict[str, object] = {}
    lists: dict[str, list[str]] = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        if name.endswith("[]"):
            lists.setdefault(name.removesuffix("[]"), []).append(value)
        else:
            values[name] = value
    return values | lists
