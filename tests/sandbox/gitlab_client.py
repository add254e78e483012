"""A running miniature GitLab for tests, and the two kinds of client that talk to it."""

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import gitlab

from sandbox.gitlab.http.server import Server
from sandbox.gitlab.seed import AccessToken, Seed
from sandbox.gitlab.serving import serve

API_TOKEN = "glpat-api-token-of-tests"
CREATE_TOKEN = "glpat-may-only-create"
MANAGE_TOKEN = "glpat-may-only-manage"
EXPIRED_TOKEN = "glpat-expired-long-ago"
REGISTRATION_TOKEN = "GR1348941registration"
SEED = Seed(
    access={
        API_TOKEN: AccessToken(1, frozenset({"api"})),
        CREATE_TOKEN: AccessToken(2, frozenset({"create_runner"})),
        MANAGE_TOKEN: AccessToken(3, frozenset({"manage_runner"})),
        EXPIRED_TOKEN: AccessToken(4, frozenset({"api"}), expired=True),
    },
    registration=REGISTRATION_TOKEN,
    poll_seconds=30,
)


@dataclass
class Clock:
    """Time that only tests move."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        """Read it."""
        return self.now


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.content)


@dataclass
class Sandbox:
    """The server and its clock, with what most tests need typed once."""

    server: Server
    clock: Clock = field(default_factory=Clock)

    def admin(self, token: str = API_TOKEN) -> gitlab.Gitlab:
        """The real client library."""
        return gitlab.Gitlab(
            self.server.state.url, private_token=token, retry_transient_errors=False
        )

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One bare request, as a runner makes it; bytes go as text, anything else as JSON."""
        raw = isinstance(body, bytes)
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = {"Content-Type": "text/plain" if raw else "application/json"}
        connection = self.connect()
        try:
            prefix = "" if path.startswith("/") else "/api/v4/"
            connection.request(method, prefix + path, sent, {**kind, **(headers or {})})
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def connect(self) -> http.client.HTTPConnection:
        """A connection of one's own."""
        return http.client.HTTPConnection(urlsplit(self.server.state.url).netloc, timeout=10)

    def control(self, method: str, name: str, body: object = None) -> Answer:
        """A request to the sandbox's own interface."""
        return self.call(method, f"/sandbox/{name}", body, {"PRIVATE-TOKEN": API_TOKEN})

    def created(self, **options: Any) -> dict[str, Any]:
        """A new instance runner: its id and token."""
        body = {"runner_type": "instance_type", **options}
        answer = self.call("POST", "user/runners", body, {"PRIVATE-TOKEN": API_TOKEN})
        assert answer.status == 201, answer.content
        return dict(answer.json)

    def queue(self, **job: Any) -> int:
        """A new job in the queue: its id."""
        answer = self.control("POST", "jobs", {"image": "debian", "script": ["true"], **job})
        assert answer.status == 201, answer.content
        return int(answer.json["id"])

    def poll(self, token: str, system_id: str = "s_one", **more: Any) -> Answer:
        """Ask for a job."""
        return self.call(
            "POST", "jobs/request", {"token": token, "system_id": system_id, "info": {}, **more}
        )

    def state(self) -> Any:
        """Everything that the server admits to know."""
        return self.control("GET", "state").json


def until_polled(sandbox: Sandbox, times: int) -> None:
    """Come back when that many polls are being answered: a poll counts from when it waits."""
    while sandbox.state()["requests"]["POST /jobs/request"] < times:
        pass


@contextmanager
def running() -> Iterator[Sandbox]:
    """A server on a port of its own, for as long as the block lasts."""
    clock = Clock()
    with serve(SEED, clock=clock) as server:
        yield Sandbox(server, clock)
