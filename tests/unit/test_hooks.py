"""The user's programs around what changes hosts: told what goes on, and able to refuse it."""

import json
import os
import signal
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runnerkit.errors import INTERRUPTED, KitError
from runnerkit.fleet import failures
from runnerkit.fleet.operation import Operation
from runnerkit.menu import changing
from runnerkit.report.page import Page
from runnerkit.settings.hooks import Hooks
from runnerkit.settings.targets import Target
from tests.unit.test_words import run

OPERATION = Operation("runner.upgrade", Path("/srv/kit/runnerkit.toml"), "sha256:ab")
TARGETS = (Target("ci1", "root@ci1"), Target("ci2", "root@ci2"))
FARED = [
    {"host": "ci1", "state": "changed", "changes": [{"title": "pull x", "diff": "- a\n+ b"}],
     "error": None, "fix": None, "seconds": 1.0, "findings": []},
    {"host": "ci2", "state": "failed", "changes": [], "error": "no token=sentinel99",
     "fix": "give one", "seconds": 1.0, "findings": []},
]  # fmt: skip


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(failures, "state", lambda: tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def hook(name: str, text: str) -> tuple[str, ...]:
    file = Path(name)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return (f"./{name}", "an argument")


def changed(hooks: Hooks, error: KitError | None = None) -> Page:
    def run() -> Page:
        Path("ran").touch()
        if error:
            raise error
        return Page(["a table"], {"hosts": FARED}, ["a message"], 0)

    return changing.changed(run, OPERATION, hooks, TARGETS)


def test_both_are_told_what_goes_on() -> None:
    keep = 'cat >"$(basename "$0").json"; [ "$1" = "an argument" ] && [ -e ran ]'
    changed(Hooks(before=hook("before", f"{keep} || exit 0"), after=hook("after", keep)))
    before, after = (json.loads(Path(f"{one}.json").read_text()) for one in ("before", "after"))
    both = {
        "schema": 1,
        "verb": "runner.upgrade",
        "operator": OPERATION.operator,
        "settings": {"file": "/srv/kit/runnerkit.toml", "digest": "sha256:ab"},
    }
    hosts = [{"host": one.name, "address": one.address} for one in TARGETS]
    assert before == {**both, "hook": "before", "hosts": hosts}
    fared = [
        {"host": "ci1", "state": "changed", "changes": ["pull x"], "error": None, "fix": None},
        {"host": "ci2", "state": "failed", "changes": [], "error": "no token=***",
         "fix": "give one"},
    ]  # fmt: skip
    assert after == {**both, "hook": "after", "hosts": fared, "code": 0, "error": None}


def test_one_that_does_not_read_is_no_failure() -> None:
    many = tuple(Target(f"ci{number}", "x" * 1000) for number in range(200))
    page = changing.changed(
        lambda: Page([], {"hosts": []}), OPERATION, Hooks(before=hook("h", "exit 0")), many
    )
    assert page.code == 0


def test_a_before_that_fails_lets_nothing_begin(capsys: pytest.CaptureFixture[str]) -> None:
    text = r"echo 'frozen until \033[31mMonday, API_TOKEN=sentinel99'; exit 7"
    with pytest.raises(KitError, match=r"hooks.before: ./h ended with 7; no host was") as error:
        changed(Hooks(before=hook("h", text), after=hook("after", "touch after-ran")))
    assert error.value.code == 1
    assert not Path("ran").exists() and not Path("after-ran").exists()
    err = capsys.readouterr().err
    assert "hooks.before: frozen until" in err and "\x1b" not in err and "sentinel" not in err


def test_an_after_that_fails_is_told_and_nothing_else_is_lost() -> None:
    page = changed(Hooks(after=hook("h", "exit 3")))
    assert page.code == 1 and page.lines == ["a table"] and page.data["hosts"] == FARED
    assert page.data["error"] == "hooks.after: ./h ended with 3"
    assert page.messages[0] == "a message" and "hooks.after: ./h ended with 3" in page.messages[1]


def test_an_after_is_told_of_a_run_that_ended_as_a_whole() -> None:
    with pytest.raises(KitError, match="interrupted"):
        changed(Hooks(after=hook("h", "cat >event; exit 3")), KitError("interrupted", code=130))
    event = json.loads(Path("event").read_text())
    assert (event["code"], event["error"], event["hosts"]) == (130, "interrupted", [])


def test_one_that_takes_too_long_is_ended_with_all_that_it_began() -> None:
    slow = hook("h", "sleep 300 & echo $! >child; wait")
    with pytest.raises(KitError, match="did not end within 1 s, and was ended"):
        changed(Hooks(before=slow, time_limit=1))
    child = Path(f"/proc/{Path('child').read_text().strip()}/stat")
    deadline = time.monotonic() + 30
    while child.exists() and child.read_text().split()[2] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_one_leaves_in_the_background_is_not_waited_for() -> None:
    begun = time.monotonic()
    changed(Hooks(before=hook("h", "sleep 20 & echo $! >child")))
    assert time.monotonic() - begun < 15
    os.kill(int(Path("child").read_text()), signal.SIGKILL)


@pytest.fixture
def heeded() -> Iterator[None]:
    """Ctrl-C is: what was started in the background of a shell is deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
def test_ctrl_c_ends_it() -> None:
    def press() -> None:
        while not Path("begun").exists():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    with pytest.raises(KitError, match="interrupted; no host was touched") as error:
        changed(Hooks(before=hook("h", "touch begun; sleep 300")))
    assert error.value.code == INTERRUPTED


@pytest.mark.parametrize(("word", "why"), [("./none", "No such file"), ("/", "Permission denied")])
def test_one_that_cannot_be_run_is_said(word: str, why: str) -> None:
    with pytest.raises(KitError, match=f"hooks.before: {word} cannot be run: {why}"):
        changed(Hooks(before=(word,)))


@pytest.mark.parametrize("verb", ["plan", "bootstrap"])
def test_only_what_changes_hosts_has_hooks(verb: str, folder: Path) -> None:
    file = folder / "runnerkit.toml"
    refuse = hook("refuse", "echo refused; exit 9")[0]
    file.write_text(f"""
gitlab.url = "http://127.0.0.1:9"
hooks.before = ["{refuse}"]
hosts.ci1.address = "root@127.0.0.1:9"
[runners.web]
image = "debian:bookworm"
token = {{ env = "RUNNER_TOKEN" }}
""")
    ran = run(verb, "--host", "all", settings=str(file), folder=folder)
    assert ran.returncode == 1
    assert ("hooks.before: refused" in ran.stderr) == (verb == "bootstrap")
    assert ("127.0.0.1" in ran.stderr) == (verb == "plan"), "no host was touched"
