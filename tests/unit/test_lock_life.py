"""A lock lives as long as its run is heard of, on both sides of a network that dies without a word."""

import os
import shlex
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from runnerkit.errors import KitError
from runnerkit.machine import local, lock
from runnerkit.machine.machine import Machine
from runnerkit.place import LOCKS
from tests.unit.test_lock import here, run

SHELLS = ["sh", "bash --posix", "busybox sh"]
SILENCE = 4  # s: long enough for what a busy machine starts meanwhile
PATIENT = 60  # s, of one that shall not end by silence


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PAUSE", 0.5)


class Held:
    """The script on a host, as a run has it: its lines, and what it is sent."""

    def __init__(
        self, shell: str, folder: Path, owner: str, wait: bool = False, silence: int = SILENCE
    ) -> None:
        script = lock.script(wait, silence=silence).replace(LOCKS, str(folder))
        self.process = subprocess.Popen(
            [*shlex.split(shell), "-c", script],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        self.send(f"{owner}\n")

    def send(self, text: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def end(self) -> int:
        return self.process.wait(30)


@contextmanager
def ended(*runs: Held) -> Iterator[None]:
    try:
        yield
    finally:
        for one in runs:
            one.process.kill()


@pytest.mark.parametrize("shell", SHELLS)
def test_one_that_is_silent_is_held_no_longer(shell: str, tmp_path: Path) -> None:
    first = Held(shell, tmp_path, "alice")
    with ended(first):
        assert first.line() == "locked"
        for _ in range(8):
            first.send(".")
            assert first.line() == "."
            second = Held(shell, tmp_path, "bob")
            with ended(second):
                assert second.line() == "held by alice"
        first.end()  # and its stdin is open still
        assert (tmp_path / "run").read_text() == ""
        third = Held(shell, tmp_path, "carol")
        with ended(third):
            assert third.line() == "locked"


@pytest.mark.parametrize("shell", SHELLS)
def test_one_that_waits_is_told_for_whom_and_has_it_then(shell: str, tmp_path: Path) -> None:
    first = Held(shell, tmp_path, "alice", silence=PATIENT)
    assert first.line() == "locked"
    second = Held(shell, tmp_path, "bob", wait=True, silence=PATIENT)
    with ended(first, second):
        assert second.line() == "waiting for alice"
        assert first.process.stdin
        first.process.stdin.close()
        assert second.line() == "locked"
        third = Held(shell, tmp_path, "carol")
        with ended(third):
            assert third.line() == "held by bob"


@pytest.mark.parametrize("shell", SHELLS)
def test_one_that_waits_and_is_silent_waits_no_longer(shell: str, tmp_path: Path) -> None:
    first = Held(shell, tmp_path, "alice", silence=PATIENT)
    assert first.line() == "locked"
    second = Held(shell, tmp_path, "bob", wait=True)
    with ended(first, second):
        assert second.line() == "waiting for alice"
        second.end()
        assert first.process.poll() is None


@pytest.mark.parametrize("shell", SHELLS)
def test_one_that_dies_while_a_script_goes_on_leaves_the_lock(shell: str, tmp_path: Path) -> None:
    tmp_path.mkdir(exist_ok=True)
    work = subprocess.Popen(
        ["flock", str(tmp_path / "work"), "sh", "-c", "echo held; exec cat"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert work.stdout and work.stdout.readline() == b"held\n"
    first = Held(shell, tmp_path, "alice")
    second = None
    with ended(first):
        assert first.line() == "busy"
        first.end()
        second = Held(shell, tmp_path, "bob")
        with ended(second):
            assert second.line() == "busy"
    work.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes root")
def test_this_machine_as_a_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "SILENCE", SILENCE)
    monkeypatch.setattr(lock, "BEAT", SILENCE / 4)
    for name in ("LOCK", "LOCKS", "WORK", "FOLDER"):
        text = getattr(lock, name).replace(LOCKS, str(tmp_path))
        monkeypatch.setattr(lock, name, text)
    first, second = Machine(local.context()), Machine(local.context())
    mine = lock.take(first, "alice", print)
    for _ in range(2):
        with pytest.raises(KitError, match="another run holds the host: alice, process"):
            lock.take(second, "bob", print)
    assert first.run(lock.alone("echo ran", mine.owner)) == "ran\n"
    monkeypatch.setattr(mine, "_pipe", SimpleNamespace(sendall=len))  # its beats go nowhere
    theirs = lock.take(second, "bob", print, wait=True)
    with pytest.raises(KitError, match="was ended there"):
        while not theirs.lost:
            mine.check()
    with pytest.raises(KitError, match="lost the host's lock"):
        second.run(lock.alone("echo ran", "alice"))
    second.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes root")
def test_what_a_run_gives_back_is_free_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "SILENCE", 20)
    for name in ("LOCK", "LOCKS", "WORK", "FOLDER"):
        text = getattr(lock, name).replace(LOCKS, str(tmp_path))
        monkeypatch.setattr(lock, name, text)
    machine = Machine(local.context())
    mine = lock.take(machine, "alice", print)
    machine.run("true")  # meanwhile it is listened to
    mine.close()
    begun = time.monotonic()
    lock.take(machine, "bob", print, wait=True).close()
    assert time.monotonic() - begun < 10


class Far:
    """The other end of a lock's pipe."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lock, "BEAT", 0.05)
        monkeypatch.setattr(lock, "LEASE", 1.5)
        near, self.pipe = socket.socketpair()
        self.pipe.settimeout(30)
        self.closed = threading.Event()
        machine = SimpleNamespace(
            where=lambda: "root@ci1:22", close=self.closed.set, transport=None
        )
        self.lock = lock.Lock(cast(Any, machine), near, "alice")
        assert self.pipe.recv(6) == b"alice\n"

    def answer(self, beats: int) -> None:
        for _ in range(beats):
            assert self.pipe.recv(1) == b"."
            self.pipe.sendall(b".\n")


def test_a_run_that_is_answered_has_its_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    far = Far(monkeypatch)
    far.answer(60)  # twice as long as the lease
    far.lock.check()
    far.lock.close()
    last = b"".join(iter(lambda: far.pipe.recv(100), b""))
    assert not last.strip(b".")
    far.lock.check()
    assert not far.closed.is_set()


def test_a_run_that_is_not_answered_changes_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    far = Far(monkeypatch)
    far.answer(2)
    assert far.closed.wait(30), "its connection is open still"
    with pytest.raises(KitError, match="nothing was heard of the host for 2 s, and this run has"):
        far.lock.check()


def test_a_run_that_has_slept_knows_it_before_its_next_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    far = Far(monkeypatch)
    monkeypatch.setattr(lock, "BEAT", 3600)
    now = time.clock_gettime(lock._CLOCK)
    monkeypatch.setattr(lock, "time", SimpleNamespace(clock_gettime=lambda _: now + 100))
    with pytest.raises(KitError, match="nothing was heard of the host"):
        far.lock.check()
    assert far.closed.is_set()


def test_a_run_whose_lock_was_ended_there_changes_nothing_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    far = Far(monkeypatch)
    far.pipe.close()
    assert far.closed.wait(30), "its connection is open still"
    with pytest.raises(KitError, match="has lost the host's lock, which was ended there"):
        far.lock.check()


@pytest.mark.parametrize(("holder", "runs"), [("alice", True), ("bob", False), ("", False)])
def test_a_script_that_comes_late_does_not_run(holder: str, runs: bool, tmp_path: Path) -> None:
    (tmp_path / "run").write_text(f"{holder}\n" * bool(holder))
    ended = run(here(lock.alone("echo ran", "alice"), tmp_path))
    assert (ended.stdout == "ran\n") == runs == (ended.returncode == 0)
    assert runs or lock.LOST in ended.stderr
