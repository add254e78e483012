"""The pages that are made from the code are as the code is, and say a word on everything."""

from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from runnerkit.place import ROOT
from runnerkit.reference import settings as reference
from runnerkit.reference import troubleshooting
from runnerkit.settings.model import Settings

SECTIONS = dict(reference.sections(Settings))


@pytest.mark.parametrize(
    ("name", "text"),
    [("settings", reference.page()), ("troubleshooting", troubleshooting.page())],
    ids=["settings", "troubleshooting"],
)
def test_the_page_is_as_it_would_be_made(name: str, text: str) -> None:
    assert (ROOT / f"docs/en/{name}.md").read_text() == text, "nox -s docs writes it anew"


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_key_has_a_word(heading: str) -> None:
    section = SECTIONS[heading]
    assert (section.__doc__ or "").endswith(".")
    assert [
        key for key, text in reference.described(section).items() if not text.endswith(".")
    ] == []


def test_a_key_without_a_word_is_seen() -> None:
    class Section(msgspec.Struct):
        known: int = 1
        """What it is."""
        silent: int = 1

    assert reference.described(Section) == {"known": "What it is.", "silent": ""}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Annotated[int, Meta(ge=1, le=9)], "number, 1 to 9"),
        (Annotated[int, Meta(ge=1)] | Literal["auto"] | None, "number, at least 1, or `auto`"),
        (Literal["", "a", "b"], "one of `a`, `b`"),
        (tuple[Literal["a", "b"], ...], "list of `a`, `b`"),
        (dict[str, str], "table of texts"),
        (dict[str, Any], "table"),
        (tuple[Annotated[str, Meta(title="URL")], ...] | None, "list of URLs"),
    ],
)  # fmt: skip
def test_types_are_told_in_words(kind: Any, text: str) -> None:
    assert reference.words(kind) == text
