"""A person at a terminal, asked for sudo's password by one of many threads."""

import getpass
import os
import pty
import shlex
import signal
import socket
import sys
import termios
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import paramiko
import pytest

from runnerkit.machine import sudo
from runnerkit.machine.ssh.hop import Hop
from runnerkit.machine.ssh.keys import Keys

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


class Asking(paramiko.ServerInterface):
    """An sshd that wants a code beside the key."""

    def get_allowed_auths(self, username: str) -> str:
        return "publickey,keyboard-interactive"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return paramiko.common.AUTH_PARTIALLY_SUCCESSFUL

    def check_auth_interactive(
        self, username: str, submethods: str
    ) -> paramiko.server.InteractiveQuery:
        return paramiko.server.InteractiveQuery(
            "\x1b]0;owned\x07", "two\nlines", ("\x9b2JCode:", True)
        )

    def check_auth_interactive_response(self, responses: list[str]) -> int:
        right = responses == ["123"]
        return paramiko.common.AUTH_SUCCESSFUL if right else paramiko.common.AUTH_FAILED


def test_what_a_host_asks_at_a_login_is_shown_as_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    prompts: list[str] = []

    def answer(prompt: str) -> str:
        prompts.append(prompt)
        return "123"

    monkeypatch.setattr(os, "isatty", lambda _: True)
    monkeypatch.setattr(termios, "tcgetattr", lambda _: [])
    monkeypatch.setattr(getpass, "getpass", answer)
    key = paramiko.ECDSAKey.generate()
    key.write_private_key_file(str(file := tmp_path / "key"))
    ours, theirs = socket.socketpair()
    with (
        closing(paramiko.Transport(theirs)) as sshd,
        closing(paramiko.Transport(ours)) as client,
    ):
        sshd.add_server_key(key)
        sshd.start_server(threading.Event(), Asking())
        client.start_client(timeout=10)
        Keys(Hop("ci1", 22, "ci", (str(file),))).authenticate(client)
        assert client.is_authenticated()
    assert prompts == ["ci@ci1:22 asks: \\x1b]0;owned\\x07: two\\nlines: \\x9b2JCode: "]
    assert capfd.readouterr().out == ""


def until(end: bytes, read: Callable[[int], bytes]) -> bytes:
    shown = b""
    while not shown.endswith(end):
        shown += read(1024)
    return shown
