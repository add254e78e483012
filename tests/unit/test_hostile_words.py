"""Logs, labels and addresses of hosts and jobs are data: each has its end, and shows no secret."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from runnerkit.actions import logs
from runnerkit.actions.logs import LogLine
from runnerkit.facts.look import jobs_in
from runnerkit.facts.rehearsal import Case, parse, script
from runnerkit.fleet.health import metrics
from runnerkit.fleet.journals import logs as fleet_logs
from runnerkit.fleet.run import Outcome
from runnerkit.printable import LETTERS
from runnerkit.report import logs as report
from runnerkit.report.job_logs import explained
from runnerkit.settings.model import Settings
from tests.unit.build import want
from tests.unit.test_metrics import settings

T = "2026-11-26T22:46:02.123456789Z"
GLRT, GLPAT, GLCBT = "glrt-t3_sentinel00000", "glpat-sentinel00000000", "glcbt-64_sentinel0000"
TOKENS = (GLRT, GLPAT, GLCBT, "GR1348941sentinel000000")


@pytest.mark.parametrize(
    "text",
    [
        f"{T} " + json.dumps({"level": level, "job": job, "msg": "x"})
        for level in ("error", GLPAT, 5, ["x"], None)
        for job in ("7", "²", "9" * 900, -1, [7], GLPAT)
    ]
    + [
        "9999-12-31T23:59:59.999999999Z ERROR: x",
        "0000-00-00T00:00:00.000000000Z ERROR: x",
        "٢٠٢٦-11-26T22:46:02.123456789Z ERROR: x  job=٧",
        f"{T} " + "{" * 5000,
        f"{T} x\r\x1b]52;c;eA==\x07\x9b2J\u202e\ud800",
    ],
)
def test_a_line_of_any_words_is_shown_in_text_and_as_data(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = logs.line(text)
    assert found
    page = report.read([Outcome("ci1", [found])])
    for as_json in (False, True):
        page.show(as_json)
        out = capsys.readouterr().out
        assert out.count("\n") == 1
        assert "sentinel" not in out
        assert not {*out} & {"\x1b", "\r", "\x9b", "\u202e", "\ud800"}


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("form", ["{}", "token={}", "https://u:{}@h/", "\x1b[31m{}\x1b[0m", "{}."])
def test_no_token_of_a_log_is_shown(token: str, form: str) -> None:
    words = form.format(token)
    found = logs.line(f"{T} ERROR: {words} refused")
    assert found
    assert "sentinel" not in found.text
    page = explained(f"ERROR: {words}: no space left on device")
    assert page.code == 0
    assert "sentinel" not in json.dumps([*page.lines, page.data])


def test_what_is_left_of_a_long_line_shows_no_part_of_a_secret() -> None:
    secret = "sentinel" * 300
    page = explained(f"no space left on device password={secret} " + "x" * 500)
    assert page.code == 0
    assert "sentinel" not in json.dumps([*page.lines, page.data])


def test_what_a_host_says_in_place_of_its_log_is_kept_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Machine:
        closed = False

    class Host:
        name, machine = "ci1", Machine()

    class Fleet:
        settings, targets = Settings(), ()

        def each(self, _: object, work: object, **__: object) -> None:
            work(Host(), want())  # type: ignore[operator]

    monkeypatch.setattr(fleet_logs, "_past", lambda *_: ("0", []))
    monkeypatch.setattr(fleet_logs, "_lines", lambda *_: iter(["x" * 65536, "y" * 65536]))
    told: list[object] = []
    fleet_logs.follow(Fleet(), None, lambda _, entry: told.append(entry))  # type: ignore[arg-type]
    texts = [one.text for one in told if isinstance(one, LogLine)]
    assert [len(text) for text in texts] == [LETTERS, LETTERS]


@pytest.mark.parametrize("url", ["", "http://[", "http://[x]/g/p/-/jobs/1", "x" * 9, "a://b:c/d"])
def test_a_label_that_anybody_made_does_not_hide_the_host(url: str) -> None:
    work = jobs_in([["2026", "8", url], ["2025", "7", "https://h/git/g/p/-/jobs/7"]])
    assert [one.id for one in work] == ["7", "8"]
    assert work[0].project == "git/g/p"


@pytest.mark.parametrize("url", ["http://[", "http://a:99999", "http://a:x/", "ftp://x", "//"])
def test_an_address_of_config_toml_that_is_none_is_not_asked(url: str) -> None:
    assert "ADDRESSES=''" in script([Case(("web",), "x", addresses=(("clone", url),))]).replace(
        "'\"'\"'", "'"
    )


def test_files_for_prometheus_follow_nobodys_link(tmp_path: Path) -> None:
    folder, other = tmp_path / "metrics", tmp_path / "theirs"
    folder.mkdir()
    other.write_text("mine")
    for name in ("prometheus.yml", "gitlab-runner.hosts.yml"):
        (folder / f".{name}.new").symlink_to(other)
    metrics.write(settings(), folder)
    assert other.read_text() == "mine"
    assert not (folder / "prometheus.yml").is_symlink()
    assert "scrape_configs" in (folder / "prometheus.yml").read_text()


FLOOD = """#!/bin/sh
case $1 in
  image) echo sha256:1 ;;
  run)
    head -c 3000000 /dev/zero | tr '\\0' x
    head -c 3000000 /dev/zero | tr '\\0' y >&2
    wc -c "$FOLDER"/runnerkit.rehearsal.*/0.out "$FOLDER"/runnerkit.rehearsal.*/0.err >"$FOLDER/sizes"
    exit 3
    ;;
esac
"""


def test_an_image_that_prints_without_end_does_not_fill_the_hosts_memory(tmp_path: Path) -> None:
    program = tmp_path / "docker"
    program.write_text(FLOOD)
    program.chmod(0o755)
    one = Case(("web",), "x")
    text = script([one]).replace("/run/", f"{tmp_path}/").replace("find /run", f"find {tmp_path}")
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "FOLDER": str(tmp_path)}
    ran = subprocess.run(["sh"], input=text, text=True, env=env, capture_output=True, check=True)
    sizes = [int(line.split()[0]) for line in (tmp_path / "sizes").read_text().splitlines()]
    assert max(sizes) <= 40_000, "both together"
    (told,) = parse(ran.stdout, [one])
    assert (told.code, {*told.error}) == (3, {"x", "y", "\n"})
