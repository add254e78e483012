"""A person at a terminal, asked for sudo's password by one of many threads."""

import getpass
import os
import pty
import shlex
import signal
import sys
import termios
import threading
from collections.abc import Callable

import pytest

from runnerkit.machine import sudo

ASK = """
from runnerkit.fleet.run import Fleet
from runnerkit.machine import sudo
from runnerkit.settings.load import load
from runnerkit.settings.targets import Target
work = lambda *_: print("told", sudo.ask("ci", "ci@host:22").reveal())
Fleet((Target("local", "local"),), load(), print).each({"local": None}, work)
"""
# The shell lives on until its terminal is closed, as a person's does.
SHELL = f"trap : INT; {shlex.join([sys.executable, '-c', ASK])}; echo ended $?; read -r _"


@pytest.mark.parametrize(
    ("types", "code", "output"),
    [(b"secret\n", 0, b"told secret"), (b"\x03", 130, b"\nerror: interrupted\r\n  fix: run")],
)
def test_the_question_is_answered_or_ends_the_program_at_once(
    types: bytes, code: int, output: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUNNERKIT_SUDO_PASSWORD", raising=False)
    child, terminal = pty.fork()
    if child == 0:
        for number in (signal.SIGINT, signal.SIGHUP):  # as a terminal's shell has them
            signal.signal(number, signal.SIG_DFL)
        os.execv("/bin/sh", ["sh", "-c", SHELL])
    patience = threading.Timer(30, os.killpg, (child, signal.SIGKILL))
    patience.start()
    with os.fdopen(terminal, "r+b", buffering=0) as screen:
        until(b"sudo password of ci, for ci@host:22 and ci's other hosts: ", screen.read)
        screen.write(types)
        shown = until(b"ended %d\r\n" % code, screen.read)
    os.waitpid(child, 0)
    patience.cancel()
    assert output in shown


def test_a_host_that_wants_it_is_not_given_another_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sudo, "_answers", {})
    monkeypatch.setenv("RUNNERKIT_SUDO_PASSWORD", "")
    monkeypatch.setattr(os, "isatty", lambda _: True)
    monkeypatch.setattr(termios, "tcgetattr", lambda _: [])
    prompts: list[str] = []

    def answer(prompt: str) -> str:
        prompts.append(prompt)
        return prompt

    monkeypatch.setattr(getpass, "getpass", answer)
    first, again = sudo.ask("alice", "alice@ci1:22"), sudo.ask("alice", "alice@ci2:22")
    assert first.reveal() == again.reveal() == prompts[0]
    assert "alice@ci1:22" in prompts[0]
    assert sudo.ask("bob", "bob@ci3:22").reveal() == prompts[1] != prompts[0]


def until(end: bytes, read: Callable[[int], bytes]) -> bytes:
    shown = b""
    while not shown.endswith(end):
        shown += read(1024)
    return shown
