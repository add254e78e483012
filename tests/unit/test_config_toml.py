"""config.toml is laid over, never rewritten, and compared by meaning."""

import tomllib
from dataclasses import replace
from typing import Any

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from runnerkit.facts import File
from runnerkit.files import config_toml, merge
from tests.unit.build import CONFIG, GOOD, URL, converged, want

FOREIGN = """
# ours, by hand
[[runners]]
  name = "stranger"
  url = "https://other.example.com"
  token = "x"
  some_new_key = "kept"
"""

scalars = st.one_of(st.booleans(), st.integers(-9, 9), st.text("ab", max_size=3))
tables = st.recursive(
    scalars | st.lists(scalars, max_size=3),
    lambda inner: st.dictionaries(st.text("xyz", min_size=1, max_size=2), inner, max_size=3),
)
documents = st.dictionaries(st.text("xyz", min_size=1, max_size=2), tables, max_size=4)


@settings(deadline=None)  # the machine may be busy
@given(have=documents, wanted=documents)
def test_what_is_wanted_is_there_and_nothing_else_is_lost(
    have: dict[str, Any], wanted: dict[str, Any]
) -> None:
    document = tomlkit.parse(tomlkit.dumps(have))
    merge.lay_over(document, wanted)
    after = tomllib.loads(tomlkit.dumps(document))
    assert not merge.missing(wanted, after)
    assert not set(have) - set(after)
    for key in set(have) - set(wanted):
        assert after[key] == have[key]


def test_a_foreign_runner_unknown_keys_and_comments_survive() -> None:
    have = converged(GOOD.replace("concurrent = 1", "concurrent = 1\nnovel = true") + FOREIGN)
    wanted = want(manager={"concurrent": 5}, runners={"web": {"docker": {"privileged": True}}})
    text = config_toml.edited(have.files[CONFIG].text, wanted, have, {0: wanted.runners[0]})
    assert set(FOREIGN.splitlines()) <= set(text.splitlines())
    data = tomllib.loads(text)
    assert data["concurrent"] == 5
    assert data["novel"] is True
    assert data["runners"][0]["docker"]["privileged"] is True
    assert "privileged" not in data["runners"][1]


def test_the_runner_s_own_rewriting_is_no_difference() -> None:
    wanted = config_toml.runner_wanted(want().runners[0])
    entry = {
        "executor": "docker",
        "docker": {"image": "debian:bookworm", "pull_policy": "if-not-present"},
    }
    assert not merge.missing(wanted, entry)
    assert not merge.missing(
        {"docker": {"volumes": ["/a"]}}, {"docker": {"volumes": ["/a", "/cache"]}}
    )
    assert merge.missing({"docker": {"volumes": ["/a"]}}, {"docker": {"volumes": ["/cache"]}})


def test_a_trailing_slash_of_the_url_is_no_difference() -> None:
    have = converged(GOOD.replace(URL, URL + "/"))
    assert config_toml.entry_index(want(), have, want().runners[0]) == 0


def test_two_entries_of_one_gitlab_are_not_adopted_by_guess() -> None:
    text = GOOD.replace("ci1-web", "one") + GOOD.replace("concurrent = 1", "").replace(
        "ci1-web", "two"
    )
    have = converged(files={CONFIG: File(text.encode(), 0o600, 1)})
    wanted = want(token=None)
    assert config_toml.entry_index(wanted, have, replace(wanted.runners[0], adopts=True)) is None


def test_keys_that_are_added_stand_as_their_neighbours_do() -> None:
    before = 'concurrent = 1\n\n[[runners]]\n  name = "x"\n  [runners.docker]\n    image = "a"\n'
    document = tomlkit.parse(before)
    runner = {"limit": 3, "docker": {"privileged": True, "sysctls": {"a": "1"}}}
    merge.lay_over(document, {"check_interval": 5})
    merge.lay_over(document["runners"][0], runner)
    text = tomlkit.dumps(document)
    assert tomllib.loads(text)["runners"][0] == {
        "name": "x",
        "limit": 3,
        "docker": {"image": "a", "privileged": True, "sysctls": {"a": "1"}},
    }
    for line in ("check_interval = 5", "  limit = 3", "    privileged = true", '      a = "1"'):
        assert line in text.splitlines()


def test_keys_of_a_file_without_indents_get_none() -> None:
    document = tomlkit.parse('[[runners]]\nname = "x"\n[runners.docker]\nimage = "a"\n')
    merge.lay_over(document["runners"][0], {"limit": 3, "docker": {"sysctls": {"a": "1"}}})
    assert not [line for line in tomlkit.dumps(document).splitlines() if line.startswith(" ")]


@pytest.mark.parametrize(
    "text",
    [
        '[[runners]]\n[runners.docker]\nimage = "a"\n[runners.cache]\n[runners.docker.tmpfs]\n"/x" = ""\n',
        '[[runners]]\ndocker = {image = "a"}\n',
    ],
)
def test_tables_in_pieces_or_in_one_line_are_laid_over_too(text: str) -> None:
    document = tomlkit.parse(text)
    docker = {"privileged": True, "sysctls": {"a": "1"}}
    merge.lay_over(document["runners"][0], {"docker": docker})
    (runner,) = tomllib.loads(tomlkit.dumps(document))["runners"]
    assert {**runner["docker"], **docker} == runner["docker"]
    assert runner["docker"]["image"] == "a"


def test_a_file_of_the_host_is_read_once() -> None:
    """A plan and its checks ask for it some forty times."""
    wanted, have = want(), converged()
    assert config_toml.parsed(wanted, have) is config_toml.parsed(wanted, have)
