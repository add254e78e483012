"""Somebody's daemon.json: read as dockerd reads it, and changed without a touch of the rest."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from runnerkit import converge
from runnerkit.errors import KitError
from runnerkit.facts import Facts, File
from runnerkit.files import daemon_json, json_text
from runnerkit.plan import Script
from tests.unit.build import DAEMON, converged, want

DEBUG = '{"debug": true}'
# What `dockerd --validate` of 28.5.2 says of a file, whether it takes it. (It has the encoding from
# the mark: golang.org/x/text, unicode.BOMOverride.)
VERDICTS = {
    b"": True,
    b"\n": True,
    b"  \t\r\n ": True,
    b"null": True,
    b" null \n": True,
    b"\xef\xbb\xbf" + DEBUG.encode(): True,
    b"\xef\xbb\xbf": True,
    b"\xef\xbb\xbfnull": True,
    b"\xff\xfe" + DEBUG.encode("utf-16-le"): True,
    b"\xfe\xff" + DEBUG.encode("utf-16-be"): True,
    b"[]": False,
    b'"x"': False,
    b"3": False,
    b"true": False,
    b'{"debug": true, "debug": false}': True,
    b'{"debug": true}{"debug": false}': False,
    b'{"debug": true} x': False,
    b'{"debug": true,}': False,
    b'{"debug": true} // x': False,
    b'{"shutdown-timeout": NaN}': False,
    b'{"a\tb": 1}': False,
    b'{"labels": ["a=\xe9"]}': False,
    b'{"debug": true}\x00': False,
    b'{"labels": ["a=\\ud800"]}': True,
    b'{"debug": true, "x": ' + b"[" * 20000 + b"]" * 20000 + b"}": False,
    b"{'debug': true}": False,
    b'\x0c{"debug": true}': True,
    b'\xc2\xa0{"debug": true}': True,
    b"{}\x0b": True,
    b' \xef\xbb\xbf{"debug": true}': False,
    DEBUG.encode("utf-16-le"): False,
    b'{"labels": ["a=\nb"]}': False,
    b'{"debug": null}': True,
}


def host(data: bytes) -> Facts:
    have = converged()
    return converged(files={**have.files, DAEMON: File(data, 0o644, 500)})


def titles(have: Facts, **docker: Any) -> list[str]:
    return [change.title for change in converge.plan(want(docker=docker), have)]


@pytest.mark.parametrize("data", VERDICTS, ids=lambda data: repr(data[:24]))
def test_a_file_is_taken_where_dockerd_takes_it(data: bytes) -> None:
    have = host(data)
    if not VERDICTS[data]:
        with pytest.raises(KitError, match=r"/etc/docker/daemon\.json on the host is no"):
            converge.plan(want(docker={"daemon": {"log-level": "warn"}}), have)
        return
    text = daemon_json.edited(have, {"log-level": "warn"})
    assert json.loads(text) == {**daemon_json.parsed(have), "log-level": "warn"}


@pytest.mark.parametrize(
    ("now", "docker"),
    [
        ({"registry-mirrors": ["https://m/"]}, {"registry_mirrors": ["https://m"]}),
        ({"registry-mirrors": ["https://m"]}, {"daemon": {"registry-mirrors": ["https://m/"]}}),
        (
            {"insecure-registries": ["b:5000", "a:5000"]},
            {"daemon": {"insecure-registries": ["a:5000", "b:5000"]}},
        ),
        ({"labels": ["b=1", "a=1"]}, {"daemon": {"labels": ["a=1", "b=1"]}}),
    ],
)
def test_the_same_in_another_form_is_nothing_to_change(
    now: dict[str, Any], docker: dict[str, Any]
) -> None:
    text = json.dumps(now)
    have = host(text.encode())
    mirrors = {"RegistryConfig": {"Mirrors": ["https://m/"] if "registry-mirrors" in now else []}}
    have = converged(files=have.files, info={"ServerVersion": "20.10.24", **mirrors})
    assert titles(have, **docker) == []


def test_mirrors_in_another_order_are_asked_in_another_order() -> None:
    have = host(b'{"registry-mirrors": ["https://a", "https://b"]}')
    changes = titles(have, registry_mirrors=["https://b", "https://a"])
    assert changes == [f"write {DAEMON}", "reload docker"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('{"debug":true,"max":3}\n', '{"debug":true,"max":3,"log-level":"warn"}\n'),
        ('{ "debug": true }', '{ "debug": true, "log-level": "warn" }'),
        ("{}", '{\n  "log-level": "warn"\n}'),
        (
            '{\n\t"debug" : true,\n\n\t"exec-opts" : [ "a" ]\n}',
            '{\n\t"debug" : true,\n\n\t"exec-opts" : [ "a" ],\n\n\t"log-level" : "warn"\n}',
        ),
        (
            '{\r\n    "debug": 1.50\r\n}\r\n',
            '{\r\n    "debug": 1.50,\r\n    "log-level": "warn"\r\n}\r\n',
        ),
        ('{"log-level": "info",  "é": "\\u00e9"}', '{"log-level": "warn",  "é": "\\u00e9"}'),
        ('{"log-level": "a", "log-level": "b"}', '{"log-level": "a", "log-level": "warn"}'),
    ],
)
def test_a_change_of_one_key_keeps_the_form_of_the_rest(old: str, new: str) -> None:
    assert json_text.laid_over(old, {"log-level": "warn"}) == new


def test_an_object_gets_its_member_where_it_stands() -> None:
    old = '{\n  "log-opts": {"max-size": "1m"},\n  "runtimes": {\n    "x": {}\n  }\n}\n'
    values = {"log-opts": {"max-file": "3"}, "runtimes": {"y": {"path": "/y"}}}
    assert json_text.laid_over(old, values) == (
        '{\n  "log-opts": {"max-size": "1m", "max-file": "3"},\n'
        '  "runtimes": {\n    "x": {},\n    "y": {\n      "path": "/y"\n    }\n  }\n}\n'
    )


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    both = {
        key: merged(old[key], value)
        for key, value in new.items()
        if isinstance(value, dict) and isinstance(old.get(key), dict)
    }
    return {**old, **new, **both}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('ab"\\\n{}[],: é', max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=2), inner),
    max_leaves=12,
)
TABLES = st.dictionaries(st.text("abc", max_size=2), VALUES, max_size=4)


@hypothesis_settings(deadline=None)
@given(old=TABLES, new=TABLES, indent=st.sampled_from([None, 0, 2, "\t"]))
def test_what_is_laid_over_is_what_both_mean(
    old: dict[str, Any], new: dict[str, Any], indent: int | str | None
) -> None:
    text = json_text.laid_over(json.dumps(old, indent=indent), new)
    assert json.loads(text) == merged(old, new)


def test_a_one_line_file_stays_one_line_in_a_plan_and_shows_no_secret() -> None:
    have = host(b'{"log-opts":{"splunk-token":"sentinel"},"debug":false}')
    write = converge.plan(want(docker={"daemon": {"debug": True}}), have)[0]
    assert isinstance(write, Script)
    assert '+{"log-opts":{"splunk-token":***},"debug":true}' in write.diff
