"""The managers' logs: lines of every format as data, many hosts in time order, what is asked for."""

import json
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from runnerkit.actions import logs
from runnerkit.actions.logs import LogLine, Selection
from runnerkit.errors import KitError
from runnerkit.fleet.journals.logs import Caught, Entry, Tell, selection
from runnerkit.fleet.run import Outcome
from runnerkit.report.logs import followed, read

T = "2026-11-26T22:46:02.123456789Z"
RUNNER = "\x1b[0;33mWARNING: Job failed: exit status 1      \x1b[0;m  \x1b[0;33mduration_s\x1b[0;m=2.1 \x1b[0;33mjob\x1b[0;m=7 \x1b[0;33mrunner\x1b[0;m=abc"
PLAIN = "Checking for jobs... received                     \x1b[0;m  job\x1b[0;m=7 repo_url\x1b[0;m=http://x/y.git"
TEXT = 'time="2026-11-26T22:46:02Z" level=error msg="Job failed (system failure): no job=8" job=7 runner=abc'
JSON = '{"job":7,"level":"warning","msg":"Job failed","time":"2026-11-26T22:46:02Z"}'


def line(text: str) -> LogLine:
    found = logs.line(f"{T} {text}")
    assert found
    return found


@pytest.mark.parametrize(
    ("text", "level", "job"),
    [
        (RUNNER, "warning", "7"),
        (PLAIN, "info", "7"),
        (TEXT, "error", "7"),  # and not what a message says
        (JSON, "warning", "7"),
        (JSON.replace('"job":7,', ""), "warning", ""),
        (JSON.replace("failed", "x" * 9999), "warning", "7"),
        ("FATAL: x  job=12", "fatal", "12"),
        ("PANIC: x", "panic", ""),
        ("{no json  job=7", "info", "7"),
        ("[1]", "info", ""),
        ('{"job":[[[', "info", ""),
        ("Feeding runners  subjob=7", "info", ""),
        ("x  job=7a", "info", ""),
    ],
)
def test_a_line_of_any_format_has_its_level_and_its_job(text: str, level: str, job: str) -> None:
    found = line(text)
    assert (found.level, found.job, "\x1b" in found.text) == (level, job, False)
    assert Selection(errors=True).takes(found) == (level != "info")
    assert Selection(job="7").takes(found) == (job == "7")


SPLIT = (
    f"{T} \x1b[0;33mWARNING: Job failed: exit code 3",
    f"{T}                   \x1b[0;m  \x1b[0;33mjob\x1b[0;m=7 \x1b[0;33mrunner\x1b[0;m=abc",
)
DONE = f"{T} Job succeeded \x1b[0;m  job\x1b[0;m=7"
TOLD = f"{T} Updating CA certificates..."


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        (SPLIT, ["WARNING: Job failed: exit code 3  job=7 runner=abc"]),
        (
            (SPLIT[0], f"{T} and why", SPLIT[1], DONE),
            ["WARNING: Job failed: exit code 3 and why  job=7 runner=abc", "Job succeeded  job=7"],
        ),
        ((TOLD, DONE), [TOLD[31:], "Job succeeded  job=7"]),
        ((TOLD, TOLD, "", DONE, TOLD), [TOLD[31:], TOLD[31:], "Job succeeded  job=7", TOLD[31:]]),
        ((f"{T} said", f"{T}    \x1b[0;m  job\x1b[0;m=7"), ["said  job=7"]),
        ((DONE, f"{T}    \x1b[0;m "), ["Job succeeded  job=7"]),
        ((SPLIT[0], "", DONE), ["WARNING: Job failed: exit code 3", "Job succeeded  job=7"]),
        ((f"{T} {JSON}", f"{T} {TEXT}"), [JSON, TEXT]),
    ],
)
def test_an_entry_of_several_lines_is_one(texts: tuple[str, ...], wanted: list[str]) -> None:
    found = [one for text in logs.whole(texts) if (one := logs.line(text))]
    assert [one.text for one in found] == wanted


def test_what_never_ends_its_entry_is_shown_all_the_same() -> None:
    trace = [f"{T} \x1b[0;33mPANIC: x", *[f"{T} goroutine {n}" for n in range(20)]]
    shown = "".join(logs.whole(trace))
    assert all(f"goroutine {n}" in shown for n in range(20))
    _, many = logs.parse("now: 1\n" + f"{DONE}\n" * 300, Selection(job="7"))
    assert len(many) == logs.LAST


def test_a_line_shows_no_token_and_has_a_bound() -> None:
    assert "glrt" not in line("bad token glrt-abcdefghijklmnopqrst").text
    assert len(line("x" * 100_000).text) <= 1000
    assert logs.line("Error response from daemon: no") is None
    assert logs.line(f"{T} \x1b[0;m ") is None


def test_a_time_is_the_same_whatever_zone_the_engine_writes() -> None:
    east = logs.line("2026-11-27T00:46:02.123456789+02:00 x")
    assert east and east.at == line("x").at


def test_what_many_hosts_have_is_in_time_order_and_hostile_words_obey_nobody() -> None:
    early, late = line("a\u202eb\r  job=1"), logs.line(f"{T.replace('02.1', '02.2')} late")
    assert late
    outcomes = [
        Outcome("ci1", [late]),
        Outcome("ci22", [early]),
        Outcome("x", error="gone", fix="see"),
    ]
    page = read(outcomes)
    assert page.lines == [
        "ci22  2026-11-26 22:46:02Z  a\\u202eb\\r  job=1",
        "ci1   2026-11-26 22:46:02Z  late",
    ]
    assert page.code == 1
    assert [one["host"] for one in page.records or ()] == ["ci22", "ci1", "x"]
    assert (page.records or ())[0]["job"] == 1
    assert (page.records or ())[2]["error"] == "gone"


def test_that_no_line_was_found_is_told() -> None:
    page = read([Outcome("ci1", []), Outcome("ci2", [])])
    note, fix = page.messages
    assert note == "note: ci1, ci2: no such line"
    assert "--since" in fix


def told(*entries: tuple[str, Entry]) -> Callable[[Tell], None]:
    def follow(tell: Tell) -> None:
        for host, entry in entries:
            tell(host, entry)
        raise KitError("interrupted", "", 130)

    return follow


def test_what_comes_is_printed_as_it_comes_until_ctrl_c(capsys: pytest.CaptureFixture[str]) -> None:
    late = logs.line(f"{T.replace('22:46', '22:47')} late")
    assert late
    entries: list[tuple[str, Entry]] = [("b", late), ("b", Caught()), ("a", line("early"))]
    assert followed(("a", "b"), told(*entries, ("a", Caught()))).show(False) == 0
    assert [row.split()[0] for row in capsys.readouterr().out.splitlines()] == ["a", "b"]

    lost = KitError("the connection broke", "see")
    assert followed(("a", "b"), told(*entries, ("a", lost))).show(True) == 1
    rows = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    assert [(one["host"], one["schema"]) for one in rows] == [("a", 1), ("b", 1), ("a", 1)]
    assert rows[2]["error"] == "the connection broke"


def test_a_flood_is_bounded_and_ends(capsys: pytest.CaptureFixture[str]) -> None:
    one = line("x")

    def flood(tell: Tell) -> None:
        for _ in range(30_000):
            tell("a", one)

    assert followed(("a", "silent"), flood).show(False) == 0
    assert len(capsys.readouterr().out.splitlines()) == 30_000
    assert threading.active_count() < 10


UNREAD = """
import threading
from runnerkit.actions.logs import line
from runnerkit.errors import KitError
from runnerkit.report.logs import followed

def follow(tell):
    def flood():
        while True:
            tell("a", line("2026-11-26T22:46:02.123456789Z x"))
            threading.Event().wait(0.05)

    threading.Thread(target=flood, daemon=True).start()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        raise KitError("interrupted", "", 130)

raise SystemExit(followed(("a",), follow).show(False))
"""


def test_it_ends_when_nobody_reads_on() -> None:
    command = f"{sys.executable} -c {shlex.quote(UNREAD)} | true; exit ${{PIPESTATUS[0]}}"
    ran = subprocess.run(["bash", "-c", command], timeout=60, check=False, capture_output=True)
    assert (ran.returncode, ran.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("since", "job", "wanted"),
    [
        ("", "", ("", "")),
        ("10m", "7", ("600s", "7")),
        ("2h", "007", ("7200s", "7")),
        ("90", "0", ("90s", "0")),
        ("999999999 weeks", "", ("316224000s", "")),
        ("2026-11-26T10:00:00+02:00", "", ("2026-11-26T08:00:00Z", "")),
    ],
)
def test_a_time_and_a_job_are_read_as_people_write_them(
    since: str, job: str, wanted: tuple[str, str]
) -> None:
    found = selection(since, False, job)
    assert (found.since, found.job) == wanted


def test_a_date_without_a_zone_is_ours() -> None:
    here = datetime(2026, 11, 26, 10).astimezone(UTC)
    assert selection("2026-11-26T10:00", False, "").since == here.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("since", "job"),
    [("yesterday", ""), ("-5m", ""), ("10 x", ""), ("0001-01-01", ""), ("", "web"), ("", "-1"), ("", "7;reboot"), ("", "٣")],
)  # fmt: skip
def test_what_is_no_time_and_no_job_is_told(since: str, job: str) -> None:
    with pytest.raises(KitError) as caught:
        selection(since, False, job)
    assert caught.value.fix.startswith("give")


def test_hosts_are_asked_for_no_more_than_is_shown() -> None:
    assert "--tail 100 " in logs.script("m", Selection())
    every = logs.script("m", Selection("600s", True, "7"))
    assert "--since 600s" in every
    assert f"tail -n {logs.MOST}" in every
    assert "grep -a -C 5 -F 7" in every
    assert "--tail all" in logs.script("m", Selection(job="7"))
