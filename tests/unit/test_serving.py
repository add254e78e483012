"""How far a registry serves an image: its answers in order, without a registry."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pytest

from runnerkit.checks.network.verdict import why
from runnerkit.engine.serving import serves
from runnerkit.machine.route import Exchange, Route, Trouble

AT = "https://mirror.example.com"
IMAGE = f"{AT}/v2/library/debian"
CHALLENGE = 'Bearer realm="https://auth.example.com/token?x=1",service="registry"'
TOKEN = (
    "https://auth.example.com/token?x=1&service=registry&scope=repository%3Alibrary%2Fdebian%3Apull"
)


def digest(body: object) -> str:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


BIG, SMALL = b"\x1f\x8b" + b"x" * 3000, b"\x1f\x8bsmall"
LAYERS = {
    "layers": [
        {"digest": digest(one), "size": len(one), "mediaType": "x.tar+gzip"} for one in (BIG, SMALL)
    ]
}
OTHER = {"layers": [5]}
AMD = digest(LAYERS)
INDEX = {
    "manifests": [
        {"digest": "sha256:arm", "platform": {"architecture": "arm64"}},
        {"digest": AMD, "platform": {"architecture": "amd64"}},
    ]
}
BLOB, FAR = f"{IMAGE}/blobs/{digest(SMALL)}", "https://far.example.com/x"
Answer = tuple[int, dict[str, str], object]
GOOD: dict[str, Answer] = {
    f"{AT}/v2/": (401, {"www-authenticate": CHALLENGE}, {}),
    TOKEN: (200, {}, {"token": "t0"}),
    f"{IMAGE}/manifests/bookworm": (200, {"docker-content-digest": digest(INDEX)}, INDEX),
    f"{IMAGE}/manifests/{AMD}": (200, {}, LAYERS),
    BLOB: (307, {"location": FAR}, {}),
    FAR: (206, {}, SMALL),
}


class Answers(Route):
    """A way to servers that answer so; others do not answer."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.answers, self.asked = answers, list[tuple[str, bool]]()

    patience = 3.0

    def ask(
        self, url: str, heads: Mapping[str, str] | None = None, sample: int = 0, method: str = "GET"
    ) -> Exchange:
        self.asked.append((url, "Authorization" in (heads or {})))
        if url not in self.answers:
            raise Trouble("connection", "refused")
        status, known, body = self.answers[url]
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Exchange(status, known, data[: sample or None], 0.1)


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
        ({f"{IMAGE}/manifests/bookworm": (200, {}, b"<html>")}, "manifest", 200),
        ({BLOB: (403, {}, {})}, "blob", 403),
        ({FAR: (402, {}, {})}, "blob", 402),
        ({f"{AT}/v2/": (502, {}, {}), f"{IMAGE}/manifests/bookworm": (502, {}, {})}, "door", 502),
        ({f"{IMAGE}/manifests/bookworm": (200, {}, [5])}, "manifest", 200),
        (
            {f"{IMAGE}/manifests/bookworm": (200, {}, {"manifests": 5, "layers": {}})},
            "manifest",
            200,
        ),
        ({f"{IMAGE}/manifests/bookworm": (200, {}, OTHER)}, "manifest", 200),
    ],
)
def test_where_it_stops_is_told(changes: dict[str, Answer], step: str, status: int) -> None:
    found = serves(Answers({**GOOD, **changes}), AT, "debian:bookworm", "amd64")
    assert (found.step, found.reply.status) == (step, status)


@pytest.mark.parametrize(
    ("gone", "step"),
    [(f"{AT}/v2/", "door"), (TOKEN, "token"), (FAR, "blob")],
)
def test_what_does_not_answer_is_told_with_its_step(gone: str, step: str) -> None:
    answers = {url: one for url, one in GOOD.items() if url != gone}
    found = serves(Answers(answers), AT, "debian:bookworm", "amd64")
    assert (found.step, found.reply.trouble) == (step, "connection")


@pytest.mark.parametrize(
    ("changes", "step", "trouble"),
    [
        ({f"{IMAGE}/manifests/{AMD}": (200, {}, OTHER)}, "manifest", "forgery"),
        (
            {f"{IMAGE}/manifests/bookworm": (200, {"docker-content-digest": AMD}, INDEX)},
            "manifest",
            "forgery",
        ),
        ({FAR: (200, {}, b"<html>no more</html>")}, "blob", "forgery"),
        ({FAR: (206, {}, SMALL[:-1] + b"L")}, "blob", "forgery"),
        ({FAR: (206, {}, SMALL[:3])}, "blob", "connection"),
    ],
)
def test_what_is_not_what_it_is_called(changes: dict[str, Answer], step: str, trouble: str) -> None:
    found = serves(Answers({**GOOD, **changes}), AT, "debian:bookworm", "amd64")
    assert (found.step, found.reply.trouble) == (step, trouble)


def test_of_the_largest_layer_a_sample_is_fetched() -> None:
    blob = f"{IMAGE}/blobs/{digest(BIG)}"
    found = serves(
        Answers({**GOOD, blob: (206, {}, BIG)}), AT, "debian:bookworm", "amd64", sample=2000
    )
    assert (found.step, found.sample, found.digest) == ("", 2000, AMD)


def test_where_the_layers_lie_is_told_where_they_do_not_come() -> None:
    answers = {url: one for url, one in GOOD.items() if url != FAR}
    found = serves(Answers(answers), AT, "debian:bookworm", "amd64")
    assert found.reply.place == FAR


def test_an_image_that_is_pinned_comes_as_it_is_or_not_at_all() -> None:
    name = f"{IMAGE}/manifests/{AMD}"
    good = serves(Answers(GOOD), AT, f"debian@{AMD}", "amd64")
    other = Answers({**GOOD, name: (200, {}, {"layers": [{}]})})
    assert good.step == ""
    assert serves(other, AT, f"debian@{AMD}", "amd64").reply.trouble == "forgery"


TAG = f"{IMAGE}/manifests/bookworm"


def at(place: str, answers: Mapping[str, Answer]) -> dict[str, Answer]:
    """The same, where all of it has moved to another place."""
    return {url.replace(AT, place): one for url, one in answers.items()}


def test_what_has_moved_is_followed_and_the_token_is_for_who_asked_for_it() -> None:
    new = "https://new.example.com"
    mine = [url for url in GOOD if url.startswith(AT)]
    moved: dict[str, Answer] = {url: (301, {"location": url.replace(AT, new)}, {}) for url in mine}
    route = Answers({**at(new, GOOD), **moved})
    assert serves(route, AT, "debian:bookworm", "amd64").step == ""
    carried = {url for url, token in route.asked if token}
    assert carried and all(url.startswith(new) for url in carried)


def test_what_moves_in_a_circle_has_an_end() -> None:
    route = Answers({f"{AT}/v2/": (302, {"location": "/v2/"}, {}), TAG: (404, {}, {})})
    found = serves(route, AT, "debian:bookworm", "amd64")
    assert (found.step, found.reply.status, len(route.asked)) == ("door", 302, 11)


@pytest.mark.parametrize(
    ("challenge", "step", "status"),
    [
        (CHALLENGE.replace("Bearer realm", "BEARER Realm"), "", 206),
        (CHALLENGE.replace('"registry"', "registry"), "", 206),
        (f"Negotiate\n{CHALLENGE}", "", 206),
        (f'{CHALLENGE}\nBasic realm="x"', "manifest", 401),  # as Docker, which has no password
        ('Basic realm="x"', "manifest", 401),
        ("Negotiate", "", 206),
        ("Bearer", "token", 0),
        ('Bearer realm="', "token", 0),
        (", =,", "", 206),
    ],
)
def test_a_challenge_is_read_as_docker_reads_it(challenge: str, step: str, status: int) -> None:
    door: Answer = (401, {"www-authenticate": challenge}, {})
    found = serves(Answers({**GOOD, f"{AT}/v2/": door}), AT, "debian:bookworm", "amd64")
    assert (found.step, found.reply.status) == (step, status)


def test_an_image_for_another_processor_is_none() -> None:
    found = serves(Answers(GOOD), AT, "debian:bookworm", "s390x")
    assert (found.step, found.reply.why) == ("manifest", "it is there for arm64, amd64 alone")


@pytest.mark.parametrize(("status", "step"), [(200, ""), (405, ""), (403, "manifest")])
def test_for_containerds_store_the_head_of_a_manifest_must_come(status: int, step: str) -> None:
    class Heads(Answers):
        def ask(self, *words: Any, **more: Any) -> Exchange:
            head = words[3:] == ("HEAD",)
            return Exchange(status, {}, b"", 0.1) if head else super().ask(*words, **more)

    found = serves(Heads(GOOD), AT, "debian:bookworm", "amd64", containerd=True)
    assert (found.step, found.reply.status) == (step, 206 if not step else status)
    page: Answer = (200, {"content-type": "text/html"}, b"<html>")
    found = serves(
        Heads({**GOOD, f"{AT}/v2/": page}), AT, "debian:bookworm", "amd64", containerd=True
    )
    assert found.step == ("door" if step else ""), "what has no door and no image is no registry"


def test_a_token_service_that_does_not_answer_is_named() -> None:
    answers = Answers({url: one for url, one in GOOD.items() if url != TOKEN})
    found = serves(answers, AT, "debian:bookworm", "amd64")
    assert (found.step, found.reply.place) == ("token", "https://auth.example.com/token?x=1")
    assert why(found).startswith("its token service is https://auth.example.com/token")
