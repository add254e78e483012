"""What is remembered of a host, and rounds of settings that come and leave."""

from dataclasses import replace
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from runnerkit.checks.runner import memory as check
from runnerkit.facts import Facts, File
from runnerkit.files import memory, record
from runnerkit.want import Want
from tests.unit.build import CONFIG, GOOD, TOKEN, converged
from tests.unit.remembering import content, entry, ours, plan, remembered


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema": 9}', '{"settings": {"mine": 3}}', "[" * 9999]
)
def test_a_memory_that_cannot_be_read_is_none_and_is_told(text: str) -> None:
    have = entry("limit = 4")
    have = replace(have, files={**have.files, memory.PATH: File(text.encode(), 0o600, 1)})
    assert plan(ours(), have) == []
    assert [one.code for one in check.findings(ours(), have)] == ["memory-damaged"]
    assert record.settled(ours(), have) is not None


def test_no_secret_is_remembered() -> None:
    said = ours(runners={"web": {"settings": {"environment": ["A=sentinel-value"]}}})
    change = record.settled(said, converged())
    assert change is not None
    assert not [word for word in (TOKEN, "sentinel-value", "debian") if word in change.diff]


def test_what_is_as_it_was_is_not_written_again() -> None:
    have = remembered(converged(), ours())
    assert record.settled(ours(), have) is None
    assert record.ahead(ours(), have, []) is None
    assert record.settled(replace(ours(), origin=""), converged()) is None


POOL: dict[str, Any] = {
    "limit": 4, "output_limit": 9000, "environment": ["A=b"], "prepare_timeout": "90s",
    "feature_flags": {"FF_A": True}, "request_concurrency": 2,
}  # fmt: skip
CHOICES = st.sets(st.sampled_from(sorted(POOL)))


def written(have: Facts, wanted: Want) -> Facts:
    """The host when config.toml is as wanted."""
    changes = plan(wanted, have)
    for write in changes:
        have = replace(have, files={**have.files, CONFIG: File(content(write).encode(), 0o600, 1)})
    assert len(changes) < 2
    return have


@hypothesis_settings(max_examples=40, deadline=None)
@given(CHOICES, CHOICES, CHOICES, CHOICES)
def test_whatever_comes_and_leaves_the_host_is_then_as_it_shall_be(
    by_hand: set[str], first: set[str], changed: set[str], second: set[str]
) -> None:
    """Somebody's keys, settings with some, a change by hand of some of those, settings with others."""
    config = tomlkit.parse(GOOD)
    for key in by_hand - first:
        config["runners"][0][key] = POOL[key]
    said, later = (
        ours(runners={"web": {"settings": {key: POOL[key] for key in keys}}})
        for keys in (first, second)
    )
    have = remembered(written(converged(tomlkit.dumps(config)), said), said)
    document = tomlkit.parse(have.files[CONFIG].text)
    for key in changed & first:
        document["runners"][0][key] = "theirs"
    file = File(tomlkit.dumps(document).encode(), 0o600, 1)
    end = written(replace(have, files={**have.files, CONFIG: file}), later)
    (entry,) = tomlkit.parse(end.files[CONFIG].text).unwrap()["runners"]
    stays = (by_hand - first) | (first & changed) | second
    assert {key for key in POOL if key in entry} == stays
    assert all(entry[key] == POOL[key] for key in second)
    assert plan(later, end) == plan(later, remembered(end, later)) == []
