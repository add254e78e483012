"""The pages that are made from the code are as the code is, and say a word on everything."""

import re
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


def codes() -> set[str]:
    """Every code in the product: what a Kind or a Finding is made with."""
    texts = [file.read_text() for file in (ROOT / "runnerkit").rglob("*.py")]
    kinds = [
        one for text in texts for one in re.findall(r'(?:Kind|Finding)\(\s*("[\w-]+"|CODE)', text)
    ]
    named = [one for text in texts for one in re.findall(r'(?m)^CODE = ("[\w-]+")', text)]
    return {one.strip('"') for one in (*kinds, *named)} - {"CODE"}


def test_every_code_is_on_the_page() -> None:
    page = troubleshooting.page()
    assert "change-obstacle" in codes()
    assert [code for code in codes() if f"| `{code}` |" not in page] == []


def test_no_table_of_the_page_has_a_row_twice() -> None:
    for table in troubleshooting.page().split("\n\n"):
        rows = [row for row in table.splitlines() if row.startswith("| ")]
        assert len({*rows}) == len(rows)
        assert len([row for row in rows if row.startswith("| anything else")]) <= 1


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
