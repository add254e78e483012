"""Mirrors that are chosen by what they serve: when they are asked, and what a plan makes of the answers."""

from dataclasses import replace
from typing import Any

import pytest

from runnerkit import converge
from runnerkit.checks.network import mirrors, registries
from runnerkit.errors import KitError
from runnerkit.facts import Facts
from runnerkit.facts.probe import Probe, Served
from runnerkit.files import mirror_candidates
from runnerkit.images.reference import HUB
from runnerkit.settings.docker import Docker
from runnerkit.settings.load import load
from tests.unit import build
from tests.unit.build import DAEMON, MANAGER, blank, converged
from tests.unit.remembering import content, ours, remembered
from tests.unit.test_verdict import answered

A, B, C = "https://a", "https://b", "https://c"
IMAGES = (MANAGER, build.HELPER.rpartition("/")[2], "debian:bookworm")


def auto(*candidates: str) -> Any:
    return ours(docker={"registry_mirrors": "auto", "mirror_candidates": [A, B, *candidates]})


def offers(*registries: str, **answer: Any) -> tuple[Served, ...]:
    return tuple(answered(registry=one, image=i, **answer) for one in registries for i in IMAGES)


def chosen(*urls: str) -> Facts:
    """A host whose mirrors were chosen."""
    have = mirrored(*urls)
    return remembered(replace(have, offers=offers(*urls)), auto(*urls))


def mirrored(*urls: str) -> Facts:
    info = {"ServerVersion": "20.10.24", "RegistryConfig": {"Mirrors": [*urls]}}
    return converged(daemon={"registry-mirrors": [*urls]} if urls else None, info=info)


def test_a_blank_host_gets_those_that_serve_it() -> None:
    have = blank(offers=(*offers(A), *offers(B, step="blob", status=403)))
    write = converge.plan(auto(), have)[0]
    assert write.title == f"write {DAEMON}"
    assert A in content(write) and B not in content(write)
    (note,) = mirrors.findings(auto(), have)
    assert note.code == "mirrors-chosen" and f"{B} (allowlist)" in note.what


def test_it_is_one_note_where_none_serves_it() -> None:
    have = blank(offers=offers(A, B, step="door", trouble="silence"))
    assert [one.code for one in mirrors.findings(auto(), have)] == ["mirrors-none"]
    assert DAEMON not in converge.plan(auto(), have)[0].title


@pytest.mark.parametrize(
    ("hub", "left"),
    [({"step": "door", "trouble": "name"}, (C,)), ({}, ())],
)
def test_what_is_there_stays_while_nothing_better_is_known(
    hub: dict[str, str], left: tuple[str, ...]
) -> None:
    dead = offers(A, B, C, step="door", trouble="silence")
    have = replace(mirrored(C), offers=(*dead, *offers(HUB, **hub)))
    titles = [change.title for change in converge.plan(auto(), have)]
    assert titles == ([] if left else [f"write {DAEMON}", "reload docker"])


def test_the_same_mirrors_in_another_order_are_no_change() -> None:
    have = replace(mirrored(B, A), offers=(*offers(A), *offers(B, seconds=0.4)))
    assert converge.plan(auto(), have) == []


def test_a_host_that_has_chosen_is_not_asked_again() -> None:
    have = replace(chosen(A), offers=())
    assert not mirrors.due(auto(), have)
    assert converge.plan(auto(), have) == []


@pytest.mark.parametrize(
    "have",
    [
        converged(),
        blank(),
        mirrored(A),  # by somebody else
        replace(chosen(A), files={**chosen(A).files, DAEMON: mirrored(B).files[DAEMON]}),
        replace(chosen(A), images={}),
    ],
)
def test_they_are_asked_where_none_is_chosen_or_an_image_is_to_come(have: Facts) -> None:
    assert mirrors.due(auto(), have)


def test_nobody_asks_for_settings_that_name_them() -> None:
    assert not mirrors.due(ours(docker={"registry_mirrors": [A]}), blank())
    proxied = replace(blank(), info={"HttpsProxy": "http://p:3128"})
    assert not mirrors.due(auto(), proxied), "Docker goes another way than the questions"


def test_doctor_tells_what_is_stale_by_the_others() -> None:
    served = (*offers(A, B), *offers(C, digest="sha256:old"))
    have = replace(mirrored(A, B, C), probe=Probe(served=served))
    (found,) = registries.findings(ours(), have)
    assert (found.code, C in found.what) == ("registry-stale", True)


def test_public_mirrors_have_a_date_and_a_source_and_no_trust() -> None:
    assert all(one.origin == "list" and one.note for one in mirror_candidates.known())
    (public, *_) = mirror_candidates.known()
    want = ours(docker={"registry_mirrors": "auto"})
    alone = blank(offers=offers(public.address))
    assert DAEMON not in converge.plan(want, alone)[0].title
    confirmed = blank(offers=offers(public.address, HUB))
    assert public.address in content(converge.plan(want, confirmed)[0])


def test_candidates_are_of_settings_command_line_list_and_host() -> None:
    docker = Docker(registry_mirrors=(A + "/",), mirror_candidates=(B,))
    have = replace(blank(), info={"RegistryConfig": {"Mirrors": ["https://d/", 5, "nonsense"]}})
    found = mirror_candidates.every(docker, have, [C, A], ["https://t"])
    assert [(one.address, one.origin) for one in found] == [
        *((A, "settings"), ("https://t", "--mirrors"), (B, "settings")),
        *(("https://d", "host"), (C, "host")),
    ]


@pytest.mark.parametrize(
    "words", ["mirror.example.com", "https://m/path", "https://u:p@m", "ftp://m", "https://m?x=1"]
)
def test_what_is_typed_must_be_an_address(words: str) -> None:
    with pytest.raises(KitError, match="--mirrors"):
        mirror_candidates.typed(f"https://good,{words}")


def test_another_word_than_auto_is_no_mirror() -> None:
    with pytest.raises(KitError, match="did you mean 'auto'"):
        load(command_line={"docker": {"registry_mirrors": "automatic"}})
