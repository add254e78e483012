"""What the pages show is there: commands, their tests, links, settings."""

import ast
import re
import shlex
import tomllib
from pathlib import Path

import pytest
from invoke.parser import Parser

import runnerkit
import tasks
from runnerkit.place import ROOT
from runnerkit.settings.check import mistakes
from runnerkit.settings.model import Settings
from tests.pages import PAGES, blocks

NAMES = {str(page.relative_to(ROOT)): page for page in PAGES}
each_page = pytest.mark.parametrize("name", NAMES)
LINK = re.compile(r"\]\(([^)\s]+)\)")
PLACE = re.compile(r"`((?:runnerkit|sandbox|templates|tests|packer)/[\w./*-]*)`")
RECIPES = {
    *("runnerkit/steps/journal.py", "runnerkit/checks/host/processors.py"),
    *(f"runnerkit/{room}/uptime.py" for room in ("actions", "fleet", "report")),
}
FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def named_in(file: Path) -> set[str]:
    """The names of the tests of a file."""
    return {
        node.name for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }  # fmt: skip


def anchors(page: Path) -> set[str]:
    """Where links into a page may lead: its headings, as GitLab and GitHub name them."""
    heads = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@each_page
def test_every_block_of_commands_names_a_test_that_is_there(name: str) -> None:
    for block in blocks(NAMES[name]):
        file, _, test = block.test.partition("::")
        assert file, f"no <!-- test: … --> above: {block.text}"
        assert test in named_in(ROOT / file), block.test


@each_page
def test_the_menu_knows_every_command(name: str) -> None:
    text = NAMES[name].read_text()
    inline = re.findall(r"`(?:\w+=\S+ )*\./inv ([^`\n]+)`", FENCED.sub("", text))
    lines = [line for block in blocks(NAMES[name]) for line in block.commands]
    shown = [line.partition("./inv ")[2] for line in lines if "./inv " in line]
    parser = Parser(contexts=tasks.namespace.to_contexts())
    for words in (shlex.split(line, comments=True) for line in [*inline, *shown]):
        if words[0] in ("--list", "--help", "--version"):
            assert not words[1:] or words[1] in tasks.namespace.task_names
        elif "…" not in words:
            parser.parse_argv(words)


@each_page
def test_every_link_leads_somewhere(name: str) -> None:
    page = NAMES[name]
    for link in LINK.findall(FENCED.sub("", page.read_text())):
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@each_page
def test_every_file_that_is_named_is_there(name: str) -> None:
    places = set(PLACE.findall(NAMES[name].read_text())) - RECIPES
    assert [place for place in places if not [*ROOT.glob(place.rstrip("/"))]] == []


@each_page
def test_every_piece_of_settings_is_known_to_the_kit(name: str) -> None:
    for piece in re.findall(
        r"^```toml\n(.*?)^```$", NAMES[name].read_text(), re.DOTALL | re.MULTILINE
    ):
        assert list(mistakes(tomllib.loads(piece), Settings)) == []


@pytest.mark.parametrize("name", [*NAMES, ".gitlab-ci.yml"])
def test_every_session_that_is_named_is_there(name: str) -> None:
    sessions = set(
        re.findall(r"@nox\.session.*\ndef (\w+?)_?\(", (ROOT / "noxfile.py").read_text())
    )
    assert {"lint", "types", "unit", "hosts"} <= sessions
    assert set(re.findall(r"inv test --only ([a-z]+)", (ROOT / name).read_text())) <= sessions


@pytest.mark.parametrize("page", [page.name for page in (ROOT / "docs/zh").iterdir()])
def test_a_page_in_chinese_shows_what_the_english_one_does(page: str) -> None:
    chinese, english = (ROOT / f"docs/{language}/{page}" for language in ("zh", "en"))
    assert [one.text for one in blocks(chinese)] == [one.text for one in blocks(english)]
    shapes = [
        re.findall("^(#+|```|<!--)", one.read_text(), re.MULTILINE) for one in (chinese, english)
    ]
    assert shapes[0] == shapes[1]


def test_the_first_page_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_the_changelog_begins_with_the_version_of_the_kit() -> None:
    text = (ROOT / "CHANGELOG.md").read_text().replace("## Unreleased\n", "")
    (first, *_) = re.findall(r"^## (\S+)", text, re.MULTILINE)
    assert first == runnerkit.__version__
