"""What people and programs read of a run on many hosts."""

import json
import subprocess
import sys
from typing import Any

import pytest

from runnerkit.checks.finding import Finding, Level
from runnerkit.events import Began, Detail, Ended, Event, Phase, Progress, named
from runnerkit.fleet.bootstrap import Bootstrapped, Planned
from runnerkit.fleet.job_images import ImageRow
from runnerkit.fleet.run import Outcome
from runnerkit.place import ROOT
from runnerkit.plan import Script
from runnerkit.printable import counted
from runnerkit.report.bootstrap import bootstrapped, planned
from runnerkit.report.job_images import built, listed
from runnerkit.report.page import Page, once
from runnerkit.report.progress import line
from runnerkit.report.tables import table

NOTE = Finding("some-note", Level.NOTE, "the token expires", "rotate it")
CHANGE = Script("write x", "", "+a")
COMMON = {"host", "state", "error", "fix", "notes", "seconds", "execs"}


def data(page: Page, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    page.show(as_json=True)
    return dict(json.loads(capsys.readouterr().out))


def outcomes(count: int, *findings: Finding) -> list[Outcome[Bootstrapped]]:
    result = Bootstrapped(("web",), findings)
    return [Outcome(f"ci{number}", result) for number in range(1, count + 1)]


def test_what_all_hosts_have_to_say_is_said_once() -> None:
    assert bootstrapped(outcomes(3, NOTE)).messages == [
        "note: ci1, ci2, ci3: the token expires",
        "  fix: rotate it",
    ]
    assert (
        bootstrapped(outcomes(20, NOTE)).messages[0].startswith("note: ci1, ci2, ci3 and 17 more")
    )


def test_hosts_that_fail_alike_share_an_error_and_others_have_their_own() -> None:
    fail = [Outcome[Bootstrapped](host, error="no Docker", fix="see") for host in ("a", "b")]
    page = bootstrapped([*fail, Outcome("c", error="no disk", fix="see")])
    assert page.messages == [
        *("error: a, b: no Docker", "  fix: see"),
        *("error: c: no disk", "  fix: see"),
    ]
    assert page.code == 1


def test_a_change_that_failed_is_not_counted() -> None:
    one = Outcome[Bootstrapped]("ci1", changes=[CHANGE], error="install Docker: no", fix="see")
    (row,) = [row.split() for row in bootstrapped([one]).lines[1:]]
    assert row[:3] == ["ci1", "failed", "1"]


def test_wide_letters_take_two_cells() -> None:
    heads, chinese, latin = table(("host", "state"), [("构建机", "ok"), ("ci1", "ok")])
    assert (heads, chinese, latin) == ("host    state", "构建机  ok", "ci1     ok")


def test_a_terminal_that_is_too_narrow_folds_the_widest_columns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    long = "the quick brown fox jumps over the lazy dog"
    whole = table(("host", "why"), [("ci1", long), ("ci2", "镜像站" * 9)])
    assert whole[1] == f"ci1   {long}", "what is no terminal gets lines that are whole"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    lines = table(("host", "why"), [("ci1", long), ("ci2", "镜像站" * 9)])
    assert lines == [
        "host  why",
        "ci1   the quick brown fox jumps over the",
        "      lazy dog",
        f"ci2   {('镜像站' * 9)[:17]}",
        f"      {('镜像站' * 9)[17:]}",
    ]
    assert table(("host", "is", "why"), [("ci1", "1 of 1 online", "b" * 21)])[1:] == [
        f"ci1   1 of 1       {'b' * 21}",
        "      online",
    ]
    many = table(("host", "from", "to"), [("ci1", "a" * 30, "b" * 30)])
    assert [len(line) <= 40 for line in many] == [True] * 3


def test_a_fix_names_the_hosts_that_it_is_for() -> None:
    fix = "./inv bootstrap --host HOST installs it"
    messages = [("error", one, "no Docker", fix) for one in ("ci1", "ci2")]
    assert once(messages)[1].endswith("inv bootstrap --host ci1,ci2 installs it")
    assert once([("note", "GitLab", "paused", fix)])[1].endswith("--host HOST installs it")
    failed = Outcome[Bootstrapped]("ci1", error="no Docker", fix=fix)
    hosts: Any = bootstrapped([failed]).data["hosts"]
    assert hosts[0]["fix"].endswith("inv bootstrap --host ci1 installs it")


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [(0, "cache", "0 caches"), (1, "cache", "1 cache"), (2, "library", "2 libraries")],
)
def test_a_number_has_its_noun_s_form(number: int, noun: str, text: str) -> None:
    assert counted(number, noun) == text


def test_each_verb_s_data_has_its_own_fields_and_a_schema(
    capsys: pytest.CaptureFixture[str],
) -> None:
    plan = data(planned([Outcome("ci1", Planned((CHANGE,), (NOTE,)))]), capsys)
    (host,) = plan["hosts"]
    assert (plan["schema"], host.keys() - COMMON) == (1, {"changes", "findings"})
    assert host["state"] == "pending"
    assert host["findings"] == [
        {"code": "some-note", "level": "note", "what": "the token expires", "fix": "rotate it"}
    ]
    (host,) = data(bootstrapped(outcomes(1)), capsys)["hosts"]
    assert host.keys() - COMMON == {"changes", "concurrent", "findings", "runners"}
    (host,) = data(built([Outcome("ci1", (ImageRow("web", "built"),))]), capsys)["hosts"]
    assert host.keys() - COMMON == {"changes", "images"}


def test_an_image_that_differs_between_hosts_is_named() -> None:
    rows = [ImageRow("web", "current", id=f"sha256:{n}", created=None) for n in (1, 2)]
    page = listed([Outcome("a", (rows[0],)), Outcome("b", (rows[1],))])
    assert all("current, differs between hosts" in row for row in page.lines[1:])


def test_plan_s_exit_code_tells_what_is_pending() -> None:
    assert planned([Outcome("a", Planned((), ()))]).code == 0
    assert planned([Outcome("a", Planned((CHANGE,), ()))]).code == 2
    assert planned([Outcome("a", error="x", fix="y")]).code == 1


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Phase("connecting"), "connecting"),
        (Began("pull x", 2, 6), "[2/6] pull x"),
        (Detail("Get:1"), "  Get:1"),
        (Progress(98_000_000, 113_000_000), "  98 of 113 MB"),
        (Progress(98_000_000), "  98 MB"),
        (Ended("pull x"), ""),
    ],
)
def test_an_event_is_a_line(event: Event, text: str) -> None:
    assert line(event) == text


def test_what_goes_on_beside_others_says_of_what_it_speaks() -> None:
    heard: list[Event] = []
    tell = named("debian:12", heard.append)
    tell(Progress(1_000_000, 2_000_000))
    tell(Detail("waiting"))
    assert [line(event) for event in heard] == ["  debian:12: 1 of 2 MB", "  debian:12: waiting"]


SHOWS = """import sys
from runnerkit.errors import KitError
from runnerkit.report.page import Page
try:
    sys.exit(Page(["x"] * 9999, {}, code=2).show(as_json=False))
except KitError as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize(
    ("script", "code", "words"),
    [
        ('"$0" -c "$1" >/dev/full', 1, "cannot be written: No space left on device"),
        ('"$0" -c "$1" | true; exit ${PIPESTATUS[0]}', 2, ""),
    ],
)
def test_a_stdout_that_takes_nothing_is_no_traceback(script: str, code: int, words: str) -> None:
    command = ["bash", "-c", script, sys.executable, SHOWS]
    ran = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
    assert (ran.returncode, words in ran.stderr) == (code, True), ran.stderr
    assert "Traceback" not in ran.stderr
