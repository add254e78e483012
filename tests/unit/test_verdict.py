"""From what registries answer to a word for each, and to the mirrors that are chosen."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from runnerkit.checks.network.verdict import (
    SERVES,
    Word,
    choice,
    judged,
    ratings,
    together,
    unserved,
    why,
    word,
)
from runnerkit.facts.probe import Reply, Served
from runnerkit.images.reference import HUB

A, B, C = "https://a", "https://b", "https://c"
RIGHT, OLD = "sha256:right", "sha256:old"


def answered(
    step: str = "",
    status: int = 200,
    trouble: str = "",
    registry: str = A,
    image: str = "debian:12",
    digest: str = RIGHT,
    sample: int = 1 << 18,
    seconds: float = 0.2,
) -> Served:
    reply = Reply(registry, trouble, "", status, seconds=seconds)
    known = digest if step in ("", "blob") else ""
    return Served(registry, image, step, reply, known, 0 if step else sample)


@pytest.mark.parametrize(
    ("served", "expected"),
    [
        (answered(), Word.GOOD),
        (answered(seconds=3.1, sample=40_000), Word.SLOW),
        (answered(seconds=0.4, sample=300), Word.GOOD),  # a small layer tells nothing
        (answered("blob", 403), Word.ALLOWLIST),
        (answered("manifest", 401), Word.ALLOWLIST),
        (answered("manifest", 451), Word.ALLOWLIST),
        (answered("manifest", 404), Word.LACKS),
        (answered("manifest", 401, registry=HUB), Word.LACKS),
        (answered("blob", 404), Word.DEAD),
        (answered("manifest", 402), Word.QUOTA),
        (answered("blob", 429), Word.QUOTA),
        (answered("token", 429), Word.QUOTA),
        (answered("door", 429), Word.QUOTA),
        (answered("token", 503), Word.TOKEN),
        (answered("token", 0, "connection"), Word.TOKEN),
        (answered("manifest", 0, "forgery"), Word.STALE),
        (answered("blob", 0, "forgery"), Word.STALE),
        (answered("manifest", 200), Word.DEAD),  # a page in a manifest's place
        (answered("manifest", 500), Word.DEAD),
        (answered("door", 403), Word.DEAD),
        (answered("door", 404), Word.DEAD),
        *(
            (answered(step, 0, trouble), Word.DEAD)
            for step in ("door", "manifest", "blob")
            for trouble in ("name", "connection", "certificate", "silence", "nonsense")
        ),
    ],
)
def test_an_answer_has_a_word(served: Served, expected: Word) -> None:
    assert word(served) is expected
    assert expected is Word.GOOD or why(served)


@pytest.mark.parametrize(
    ("digests", "expected"),
    [
        ({A: RIGHT}, {A: "good"}),
        ({A: RIGHT, B: RIGHT}, {A: "good sure", B: "good sure"}),
        ({A: OLD, HUB: RIGHT}, {A: "stale", HUB: "good sure"}),
        ({A: OLD, B: OLD, HUB: RIGHT}, {A: "stale", B: "stale", HUB: "good sure"}),
        ({A: OLD, B: RIGHT, C: RIGHT}, {A: "stale", B: "good sure", C: "good sure"}),
        ({A: OLD, B: RIGHT}, {A: "stale", B: "stale"}),  # nobody says which is right
    ],
)
def test_what_is_stale_the_others_tell(digests: dict[str, str], expected: dict[str, str]) -> None:
    served = [answered(registry=one, digest=digest) for one, digest in digests.items()]
    found = {one.served.registry: f"{one.word}{' sure' * one.sure}" for one in judged(served)}
    assert found == expected


def test_what_is_pinned_needs_no_others() -> None:
    (found,) = judged([answered(image="debian@sha256:" + "0" * 64)])
    assert (found.word, found.sure) == (Word.GOOD, True)


@pytest.mark.parametrize(("other", "expected"), [(B, Word.GOOD), (HUB, Word.STALE)])
def test_one_that_refuses_its_layers_makes_no_other_stale(other: str, expected: Word) -> None:
    """But Docker Hub, whose quota may be used up."""
    rated = ratings([answered(digest=OLD), answered("blob", 429, registry=other)])
    assert {one.registry: one.word for one in rated}[A] is expected


def test_the_fastest_is_first_and_three_are_enough() -> None:
    speeds = {f"https://m{number}": float(number) for number in (4, 1, 3, 2)}
    served = [answered(registry=one, seconds=seconds / 10) for one, seconds in speeds.items()]
    assert choice(ratings(served), ()) == ("https://m1", "https://m2", "https://m3")


def test_a_slow_one_is_better_than_none() -> None:
    slow = answered(registry=B, seconds=3, sample=9)
    assert choice(ratings([slow]), [B]) == (B,)
    assert choice(ratings([slow, answered()]), [A, B]) == (A,)


def test_what_nobody_here_has_named_must_be_confirmed() -> None:
    assert choice(ratings([answered()]), ()) == ()
    assert choice(ratings([answered()]), [A]) == (A,)
    assert choice(ratings([answered(), answered(registry=HUB)]), ()) == (A,)


def test_one_image_that_fails_is_enough_not_to_be_chosen() -> None:
    rated = ratings([answered(), answered("manifest", 404, image="node:22")])
    assert choice(rated, [A]) == ()
    assert unserved(rated, ["debian:12", "node:22"]) == ("node:22",)


def test_of_many_hosts_the_one_that_it_serves_worst_counts() -> None:
    good = ratings([answered(), answered(registry=B)])
    other = ratings([answered("door", 0, "silence"), answered(registry=B), answered(registry=C)])
    assert choice(together([good, other]), [A, B, C]) == (B,)


STEPS = some.sampled_from(["", "door", "token", "manifest", "blob"])
STATUSES = some.sampled_from([200, 206, 401, 402, 403, 404, 429, 451, 500, 503])
TROUBLES = some.sampled_from(["", "", "name", "connection", "silence", "nonsense", "forgery"])
ANY = some.builds(
    lambda step, status, trouble, registry, image, digest, sample, seconds: answered(
        step, status, trouble if step else "", registry, image, digest, sample, seconds
    ),
    *(STEPS, STATUSES, TROUBLES, some.sampled_from([A, B, C, HUB])),
    *(some.sampled_from(["debian:12", "node:22"]), some.sampled_from([RIGHT, OLD])),
    *(some.integers(0, 1 << 18), some.floats(0, 6)),
)


@given(some.lists(ANY, min_size=1, max_size=12, unique_by=lambda one: (one.registry, one.image)))
def test_a_mirror_that_failed_is_never_chosen(served: list[Served]) -> None:
    for name in choice(ratings(served), [A, B, C]):
        mine = [one for one in judged(served) if one.served.registry == name]
        assert name != HUB and mine
        assert all(not one.served.step and one.word in SERVES for one in mine)
    assert {*choice(ratings(served), ())} <= {one.registry for one in ratings(served) if one.sure}
