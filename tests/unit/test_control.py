"""A teammate's settings break no line of a script, whatever breaks a line."""

from typing import Any

import pytest

from runnerkit.errors import KitError
from runnerkit.settings.load import load

BREAKS = ["\n", "\r", "\0", "\x0b", "\x0c", "\x1b", "\x7f", "\x85", "\x9b", "\u2028", "\u2029"]
EVERYWHERE: list[dict[str, Any]] = [
    {"manager": {"environment": {"A": "x{}RUN{}touch /ran"}}},
    {"manager": {"environment": {"A{}B": "x"}}},
    {"manager": {"config_dir": "/srv/x{}"}},
    {"manager": {"image": "debian:bookworm{}"}},
    {"gitlab": {"url": "https://gitlab.example.com/{}"}},
    {"docker": {"registry_mirrors": ["https://m.example.com/{}"]}},
    {"docker": {"package_mirror": "https://m.example.com/{}"}},
    {"golden": {"suite": "bookworm{}"}},
    {"golden": {"user": "runner{}"}},
    {"golden": {"packages": ["jq{}"]}},
    {"runners": {"web": {"image": "debian:bookworm", "name": "a{}b"}}},
    {"runners": {"web": {"image": "debian:bookworm", "tags": ["a{}b"]}}},
    {"runners": {"web{}": {"image": "debian:bookworm"}}},
    {"images": {"own": {"base": "debian:bookworm{}"}}},
    {"hosts": {"ci1": {"address": "ci1{}"}}},
    {"prune": {"images": ["a{}"]}},
]


def filled(data: Any, text: str) -> Any:
    if isinstance(data, dict):
        return {key.replace("{}", text): filled(value, text) for key, value in data.items()}
    return (
        [filled(one, text) for one in data] if isinstance(data, list) else data.replace("{}", text)
    )


@pytest.mark.parametrize("line_break", BREAKS)
@pytest.mark.parametrize("data", EVERYWHERE, ids=str)
def test_no_control_character_gets_in(data: dict[str, Any], line_break: str) -> None:
    with pytest.raises(KitError) as caught:
        load(command_line=filled(data, line_break))
    assert line_break not in caught.value.what.replace("\n    ", "")


@pytest.mark.parametrize("suite", ["$(touch x)", "a b", "a;b", "-x", "", "../x", "a\\"])
def test_a_suite_is_a_name(suite: str) -> None:
    with pytest.raises(KitError, match=r"golden\.suite"):
        load(command_line={"golden": {"suite": suite}})


@pytest.mark.parametrize("name", ["A B", "A;touch x", "$(x)", "1A", "A=B", ""])
def test_a_variable_s_name_is_one(name: str) -> None:
    with pytest.raises(KitError, match=r"manager\.environment"):
        load(command_line={"manager": {"environment": {name: "x"}}})


def test_what_goes_through_as_data_may_have_lines() -> None:
    web = {"image": "debian:bookworm", "settings": {"pre_build_script": "a\nb"}}
    source = {"command": ["sh", "-c", "a\nb"]}
    data = {"runners": {"web": {**web, "token": source}}, "images": {
        "own": {"base": "debian:bookworm", "build_args": {"A": "x\ny"}, "labels": {"l": "x\ny"}}}}  # fmt: skip
    assert load(command_line=data).runners["web"].settings == {"pre_build_script": "a\nb"}
