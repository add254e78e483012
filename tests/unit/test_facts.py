"""What a host tells is read as it is, from output recorded on a real one."""

from pathlib import Path

import pytest

from runnerkit import facts
from runnerkit.errors import KitError
from runnerkit.facts import Needs, normal

RECORDED = Path(__file__).parent / "recorded"


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("debian", "debian:latest"),
        ("docker.io/library/debian:12", "debian:12"),
        ("reg:5000/a/b", "reg:5000/a/b:latest"),
        ("a/b:v1@sha256:00", "a/b@sha256:00"),
    ],
)
def test_image_names_are_compared_as_the_engine_lists_them(name: str, full: str) -> None:
    assert normal(name) == full


def test_names_with_quotes_and_spaces_do_not_break_the_script() -> None:
    script = facts.script(Needs(files=("/a b/c'd",), inspect=("$(x)",)), "name")
    assert """FILES=''"'"'/a b/c'""" in script
    assert "$(x)'" in script


@pytest.mark.parametrize("text", ["", "system TGludXg=\n", "Welcome!\nbash: command not found\n"])
def test_an_answer_cut_off_is_an_error_and_not_a_blank_host(text: str) -> None:
    with pytest.raises(KitError, match="Linux"):
        facts.parse(text)


def test_a_mac_is_named() -> None:
    with pytest.raises(KitError, match="runs Darwin, not Linux"):
        facts.parse("system RGFyd2lu\nend \n")
