"""The audit trail: no name forges a line, no disk ends a change, and what can be read is shown."""

import json
import re
import stat
import subprocess
from pathlib import Path

import pytest

from runnerkit.actions import audit as reading
from runnerkit.errors import KitError
from runnerkit.files import audit
from runnerkit.fleet.journals.audit import _least
from runnerkit.fleet.run import Outcome
from runnerkit.report.audit import audited

KNOWN = {"operator": "alice@desk", "verb": "bootstrap", "settings": "runnerkit.toml"}
SHELLS = [["sh"], ["bash", "--posix"], ["busybox", "sh"]]
FORGED = '"}\n{"at": "2031", "change": "forged", "x": "'
TITLES = ["pull a:1", FORGED, "'; touch ran; '", "$(touch ran)", "%s%d%n\\n", "\x1b[31m\r\u2028é"]


def run(
    script: str, folder: Path, shell: list[str], origin: str = "192.0.2.7"
) -> "subprocess.CompletedProcess[str]":
    words = [*shell, "-c", script.replace(audit.FOLDER, str(folder)), "runnerkit", origin]
    return subprocess.run(
        words, capture_output=True, text=True, errors="replace", check=False, cwd=folder.parent
    )


def read(folder: Path) -> reading.Trail:
    return reading.parse(run(reading.SCRIPT, folder, ["sh"]).stdout)


@pytest.mark.parametrize("shell", SHELLS, ids=str)
@pytest.mark.parametrize("title", TITLES)
def test_no_title_is_more_than_its_line(title: str, shell: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    ended = run(audit.recorded("(\necho out; exit 3\n)", title, KNOWN), folder, shell)
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "out\n", "")
    file = folder / "audit.log"
    assert (file.read_text().count("\n"), file.read_text().isascii()) == (1, True)
    line = json.loads(file.read_text())
    when = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    assert re.fullmatch(when, line.pop("at")) and line.pop("login")
    assert line == {"from": "192.0.2.7", "code": 3, "change": title, **KNOWN}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not (tmp_path / "ran").exists()
    (entry,) = read(folder).entries
    assert (entry.change, entry.code, entry.address) == (title, 3, "192.0.2.7")


@pytest.mark.parametrize("origin", ['"}\n{"', "$(touch ran)", "fe80::1%eth0", ""])
def test_where_it_came_from_forges_nothing(origin: str, tmp_path: Path) -> None:
    run(audit.lines([(0, "a"), (1, "b")], KNOWN), tmp_path / "kept", ["sh"], origin)
    trail = read(tmp_path / "kept")
    assert [(one.change, one.code) for one in trail.entries] == [("a", 0), ("b", 1)]
    assert (trail.damaged, {*'\n"$('} & {*trail.entries[0].address}) == (0, set())
    assert not (tmp_path / "ran").exists()


def test_no_secret_is_kept(tmp_path: Path) -> None:
    title = f"set TOKEN=sentinel99 and glrt-sentinel99 {'x' * 9999}"
    run(audit.lines([(0, title)], KNOWN), tmp_path / "kept", ["sh"])
    text = (tmp_path / "kept/audit.log").read_text()
    assert "sentinel" not in text and len(text) < 2000


@pytest.mark.parametrize("shell", SHELLS, ids=str)
def test_it_has_an_end(shell: list[str], tmp_path: Path) -> None:
    folder, script = tmp_path / "kept", audit.lines([(0, "the newest")], KNOWN)
    folder.mkdir()
    for text in ("first", "second"):
        line = json.dumps({"change": text})
        (folder / "audit.log").write_text(f"{line}\n" * (audit.LARGEST // len(line)))
        run(script, folder, shell)
    assert sorted(one.name for one in folder.iterdir()) == ["audit.log", "audit.log.1"]
    assert sum(one.stat().st_size for one in folder.iterdir()) < 1.1 * audit.LARGEST
    changes = [one.change for one in read(folder).entries]
    assert (changes[0], changes[-1], "first" in changes) == ("second", "the newest", False)


@pytest.mark.parametrize("shell", SHELLS, ids=str)
def test_what_cannot_be_written_is_told_and_ends_nothing(shell: list[str], tmp_path: Path) -> None:
    (tmp_path / "kept/audit.log").mkdir(parents=True)
    ended = run(audit.recorded("(\necho out\n)", "pull", KNOWN), tmp_path / "kept", shell)
    assert (ended.returncode, ended.stdout) == (0, "out\n")
    assert ended.stderr.startswith(f"{audit.UNWRITTEN}: ")
    trail = read(tmp_path / "kept")
    assert trail.entries == () and "directory" in trail.unread[0]


def test_what_is_damaged_is_told_and_the_rest_shown(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    damaged = [b"{", b"\xff\x00", b"[]", b'{"change": 1}', b"[" * 5000, b'{"at": "20']
    (folder / "audit.log").write_bytes(b"\n".join(damaged))  # cut off in its last line
    run(audit.lines([(0, "whole")], KNOWN), folder, ["sh"])
    trail = read(folder)
    assert [one.change for one in trail.entries] == ["whole"]
    assert trail.damaged == len(damaged)
    page = audited([Outcome("ci1", trail), Outcome("ci2", error="gone", fix="see")])
    assert page.code == 1 and "whole" in "".join(page.lines)
    assert f"not shown: {len(damaged)}" in page.messages[0]


def test_hosts_are_shown_in_the_order_of_time() -> None:
    def trail(*moments: str) -> reading.Trail:
        lines = [json.dumps({"at": at, "change": at, "code": 0}) for at in moments]
        return reading.parse("\n".join(["now: 1800000000", *lines, "end", ""]))

    page = audited([Outcome("a", trail("2026-1", "2026-3")), Outcome("b", trail("2026-2"))])
    assert [line.split()[:2] for line in page.lines[1:]] == [
        ["2026-1", "a"], ["2026-2", "b"], ["2026-3", "a"],
    ]  # fmt: skip


def test_a_host_without_one_says_so(tmp_path: Path) -> None:
    page = audited([Outcome("a", read(tmp_path / "none"))])
    assert page.code == 0 and "has nothing to show" in page.messages[0]


def test_how_far_back_is_by_the_hosts_clock() -> None:
    assert _least("600s", 1800000000) == "2027-01-15T07:50:00Z"
    assert _least("", 5) == "" and _least("2026-11-26T10:00:00Z", 5) == "2026-11-26T10:00:00Z"
    assert _least("99999999999s", 5) == "1970-01-01T00:00:00Z"


def test_since_that_is_no_time_is_refused() -> None:
    from runnerkit.fleet.journals import logs

    with pytest.raises(KitError, match="--since noon: no time"):
        logs.moment("noon")
