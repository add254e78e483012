"""What a host tells, and what stands in its files, may be anything: an error in words, never a bug."""

from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from runnerkit import converge
from runnerkit.errors import KitError
from runnerkit.facts import Facts, File, look
from runnerkit.want import Want
from tests.unit.build import DAEMON, GOOD, TOKEN, URL, converged, want

LINES = (Path(__file__).parent / "recorded/debian12-converged.txt").read_text().splitlines()
ENTRY = f'[[runners]]\nurl = "{URL}"\n'


def words(wanted: Want, have: Facts) -> str:
    """The error that all steps and checks end in; "" for none."""
    try:
        converge.plan(wanted, have)
        for check in converge.CHECKS:
            list(check.findings(wanted, have))
    except KitError as error:
        assert error.fix
        return error.what
    return ""


@settings(deadline=None, max_examples=300)
@given(
    some.integers(0, len(LINES) - 1),
    some.integers(0, 10**6),
    some.sampled_from(["", " x", "=", "\0"]),
)
def test_an_answer_that_is_damaged_is_an_error_in_words(number: int, cut: int, more: str) -> None:
    line = LINES[number]
    damaged = [*LINES[:number], line[: cut % (len(line) + 1)] + more, *LINES[number + 1 :]]
    try:
        have = look.parse("\n".join(damaged))
    except KitError as error:
        assert error.fix
    else:
        words(want(), have)


def test_an_answer_that_is_nested_without_end_is_an_error_in_words() -> None:
    deep = b64encode(b"[" * 100_000).decode()
    with pytest.raises(KitError, match="cannot be read"):
        look.parse(f"kernel: Linux ci1 x86_64\ninfo {deep}\nend:\n")


@pytest.mark.parametrize(
    "text",
    [
        "runners = 5",
        "runners = [5]",
        '[runners]\nurl = "x"',
        "[[runners]]\nurl = 5",
        f"{ENTRY}token = 5",
        f'{ENTRY}name = ["ci1-web"]',
    ],
)
def test_a_config_toml_of_another_program_is_named(text: str) -> None:
    assert "none of gitlab-runner's" in words(want(), converged(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "runners = []",
        "[[runners]]",
        f'{ENTRY}name = "ci1-web"',
        f'{ENTRY}token = "{TOKEN}"\ndocker = 5',
        f'{ENTRY}token = "{TOKEN}"\n[runners.docker]\nvolumes = 5',
        f"session_server = 5\n{GOOD}",
        GOOD.replace("concurrent = 1", 'concurrent = "many"'),
        GOOD.replace("\n", "\r\n"),
        f"{GOOD}limit = {'9' * 5000}",
        f"a = {'[' * 150}{']' * 150}\n{GOOD}",
        f"a = {'[' * 5000}{']' * 5000}\n{GOOD}",
    ],
)
def test_an_odd_config_toml_is_mended_or_refused_in_words(text: str) -> None:
    words(want(manager={"concurrent": 7}), converged(text))


@pytest.mark.parametrize(
    "text",
    [
        "5",
        "[[]]",
        '{"registry-mirrors": 5}',
        '{"features": 5}',
        '{"log-opts": "x"}',
        '{"a": 1e999}',
    ],
)
def test_an_odd_daemon_json_is_mended_or_refused_in_words(text: str) -> None:
    have = converged()
    have = converged(files={**have.files, DAEMON: File(text.encode(), 0o644, 500)})
    daemon = {"log-opts": {"max-size": "5m"}, "features": {"buildkit": True}}
    words(want(docker={"registry_mirrors": ["http://m"], "daemon": daemon}), have)
