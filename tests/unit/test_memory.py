"""The three-way merge: what the kit wrote and left goes, what others wrote stays."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import tomlkit
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from runnerkit.files import json_text
from runnerkit.files.memory import Way, removal, tree, union
from runnerkit.files.merge import take_out
from tests.unit.build import blank

HERE = replace(blank(), id="m")
KEYS = st.sampled_from(["a", "b", "c"])
LEAVES = st.one_of(st.integers(1, 3), st.booleans(), st.sampled_from(["x", "90s", "1m30s", ""]))
TREES: Any = st.recursive(
    st.dictionaries(KEYS, LEAVES, max_size=3), lambda inner: st.dictionaries(KEYS, st.one_of(LEAVES, inner), max_size=3)
)  # fmt: skip


def at(values: Any, way: Way) -> Any:
    for key in way:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def ways(values: Mapping[str, Any], way: Way = ()) -> list[Way]:
    found = []
    for key, value in values.items():
        found += ways(value, (*way, key)) if isinstance(value, dict) else [(*way, key)]
    return found


def pruned(values: dict[str, Any], way: Way) -> None:
    key, *more = way
    if more:
        pruned(values[key], tuple(more))
        if values[key]:
            return
    del values[key]


def without(now: dict[str, Any], goes: tuple[Way, ...]) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(json.dumps(now))
    for way in goes:
        pruned(result, way)
    return result


@hypothesis_settings(max_examples=300, deadline=None)
@given(TREES, TREES, TREES)
def test_what_others_wrote_stays_and_what_was_left_goes(
    said: dict[str, Any], wanted: dict[str, Any], theirs: dict[str, Any]
) -> None:
    before, now = tree(HERE, said), union(said, theirs)
    left = removal(HERE, before, wanted, now, {})
    result = without(now, left.goes)
    for way in ways(now):
        ours = at(before, way) == at(tree(HERE, now), way) != None  # noqa: E711
        named = any(at(wanted, way[:end]) is not None and not isinstance(at(wanted, way[:end]), dict)
                    for end in range(1, len(way) + 1)) or at(wanted, way) is not None  # fmt: skip
        goes = ours and not named
        assert (at(result, way) is None) == goes, way
        assert (way in left.goes) == goes
    assert removal(HERE, before, wanted, result, {}).goes == ()


@hypothesis_settings(max_examples=200, deadline=None)
@given(TREES, st.data())
def test_a_value_is_taken_out_of_a_file_s_text_and_nothing_else(
    now: dict[str, Any], data: st.DataObject
) -> None:
    if not (known := ways(now)):
        return
    way = data.draw(st.sampled_from(known))
    expected = without(now, (way,))
    indent = data.draw(st.sampled_from([None, 2]))
    assert json.loads(json_text.without(json.dumps(now, indent=indent), way)) == expected
    document = tomlkit.parse(tomlkit.dumps(now))
    take_out(document, way)
    assert tomlkit.parse(tomlkit.dumps(document)).unwrap() == expected


def test_all_of_a_key_s_places_in_a_file_go() -> None:
    assert json_text.without('{"a": 1, "b": 2, "a": 3}', ("a",)) == '{"b": 2}'


def test_the_same_in_another_form_is_the_same() -> None:
    """The runner writes the file anew in its own form."""
    before = tree(HERE, {"d": {"pull_policy": "never", "volumes": ["/x"]}, "t": "90s"})
    now = {"d": {"pull_policy": ["never"], "volumes": ["/x", "/cache"]}, "t": "1m30s"}
    assert len(removal(HERE, before, {}, now, {}).goes) == 3
