"""A person at a terminal, asked for sudo's password by one of many threads."""

import os
import pty
import signal
import sys
import threading

import pytest

ASK = """
from runnerkit import fleet, password, settings
from runnerkit.targets import Target
work = lambda *_: print("told", password.ask().reveal())
fleet.each([Target("local", "local")], settings.load(typed={}), {"local": None}, False, print, work)
"""


@pytest.mark.parametrize(
    ("types", "code", "said"), [(b"secret\n", 0, b"told secret"), (b"\x03", 130, b"interrupted")]
)
def test_the_question_is_answered_or_ends_the_program_at_once(
    types: bytes, code: int, said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUNNERKIT_SUDO_PASSWORD", raising=False)
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-c", ASK])
    patience = threading.Timer(30, os.kill, (child, signal.SIGKILL))
    patience.start()
    with os.fdopen(terminal, "r+b", buffering=0) as screen:
        shown = b""
        while not shown.endswith(b"hosts: "):
            shown += screen.read(1024)
        screen.write(types)
        try:
            while more := screen.read(1024):
                shown += more
        except OSError:  # its end, as Linux tells it
            pass
    _, status = os.waitpid(child, 0)
    patience.cancel()
    assert os.waitstatus_to_exitcode(status) == code
    assert said in shown
