"""How far a registry serves an image: its answers in order, without a registry."""

import json
from collections.abc import Mapping

import pytest

from runnerkit.engine.serving import serves
from runnerkit.machine.route import Exchange, Route, Trouble

AT = "https://mirror.example.com"
IMAGE = f"{AT}/v2/library/debian"
CHALLENGE = 'Bearer realm="https://auth.example.com/token?x=1",service="registry"'
TOKEN = (
    "https://auth.example.com/token?x=1&service=registry&scope=repository%3Alibrary%2Fdebian%3Apull"
)
INDEX = {
    "manifests": [
        {"digest": "sha256:arm", "platform": {"architecture": "arm64"}},
        {"digest": "sha256:amd", "platform": {"architecture": "amd64"}},
    ]
}
LAYERS = {"layers": [{"digest": "sha256:big", "size": 9}, {"digest": "sha256:small", "size": 1}]}
Answer = tuple[int, dict[str, str], object]
GOOD: dict[str, Answer] = {
    f"{AT}/v2/": (401, {"www-authenticate": CHALLENGE}, {}),
    TOKEN: (200, {}, {"token": "t0"}),
    f"{IMAGE}/manifests/bookworm": (200, {}, INDEX),
    f"{IMAGE}/manifests/sha256:amd": (200, {}, LAYERS),
    f"{IMAGE}/blobs/sha256:small": (307, {"location": "https://far.example.com/x"}, {}),
    "https://far.example.com/x": (206, {}, {}),
}


class Answers(Route):
    """A way to servers that answer so; others do not answer."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.answers, self.asked = answers, list[tuple[str, bool]]()

    def ask(self, url: str, heads: Mapping[str, str] | None = None) -> Exchange:
        self.asked.append((url, "Authorization" in (heads or {})))
        if url not in self.answers:
            raise Trouble("connection", "refused")
        status, known, body = self.answers[url]
        return Exchange(status, known, json.dumps(body).encode(), 0.1)


def test_a_registry_is_asked_to_the_first_bytes_of_the_smallest_layer() -> None:
    route = Answers(GOOD)
    found = serves(route, AT + "/", "debian:bookworm", "amd64")
    assert (found.step, found.reply.status) == ("", 206)
    assert [url for url, _ in route.asked] == list(GOOD)
    carried = {url for url, token in route.asked if token}
    assert carried and all(url.startswith(IMAGE) for url in carried), "it goes nowhere else"


@pytest.mark.parametrize(
    ("changes", "step", "status"),
    [
        ({TOKEN: (503, {}, {})}, "token", 503),
        ({TOKEN: (200, {}, {})}, "token", 200),
        ({f"{IMAGE}/manifests/bookworm": (404, {}, {})}, "manifest", 404),
        ({f"{IMAGE}/manifests/sha256:amd": (200, {}, {})}, "manifest", 200),
        ({f"{IMAGE}/blobs/sha256:small": (403, {}, {})}, "blob", 403),
        ({"https://far.example.com/x": (402, {}, {})}, "blob", 402),
        ({f"{AT}/v2/": (502, {}, {})}, "door", 502),
        ({f"{IMAGE}/manifests/bookworm": (200, {}, [5])}, "manifest", 200),
        (
            {f"{IMAGE}/manifests/bookworm": (200, {}, {"manifests": 5, "layers": {}})},
            "manifest",
            200,
        ),
        ({f"{IMAGE}/manifests/sha256:amd": (200, {}, {"layers": [5]})}, "manifest", 200),
    ],
)
def test_where_it_stops_is_told(changes: dict[str, Answer], step: str, status: int) -> None:
    found = serves(Answers({**GOOD, **changes}), AT, "debian:bookworm", "amd64")
    assert (found.step, found.reply.status) == (step, status)


@pytest.mark.parametrize(
    ("gone", "step"),
    [(f"{AT}/v2/", "door"), (TOKEN, "token"), ("https://far.example.com/x", "blob")],
)
def test_what_does_not_answer_is_told_with_its_step(gone: str, step: str) -> None:
    answers = {url: one for url, one in GOOD.items() if url != gone}
    found = serves(Answers(answers), AT, "debian:bookworm", "amd64")
    assert (found.step, found.reply.trouble) == (step, "connection")
