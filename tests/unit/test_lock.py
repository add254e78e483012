"""The host's locks: nobody else can hold them, and a wait for them has an end."""

import os
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runnerkit.actions import prune
from runnerkit.machine import lock
from runnerkit.place import LOCK, LOCKS, PATIENCE, WORK
from tests.unit.build import want

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def here(script: str, folder: Path, patience: float = 60) -> str:
    """The script with its locks in a folder of the test's, and less patience, in seconds."""
    return script.replace(LOCKS, str(folder)).replace(f"timeout {PATIENCE}", f"timeout {patience}")


def run(script: str, typed: str = "", more: bool = False) -> subprocess.CompletedProcess[str]:
    """How a script ended; with `more` its stdin stays open meanwhile."""
    pipe, words = subprocess.PIPE, ["sh", "-c", script]
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write(typed)
        process.stdin.flush()
        if not more:
            process.stdin.close()
        out, err = process.stdout.read(), process.stderr.read()
    return subprocess.CompletedProcess(words, process.returncode, out, err)


@contextmanager
def held(file: str) -> Iterator[None]:
    script = f'exec 9>>"{file}"; flock 9; echo "bob since noon" >"{file}"; echo held; cat'
    pipe = subprocess.PIPE
    with subprocess.Popen(["sh", "-c", script], stdin=pipe, stdout=pipe) as process:
        assert process.stdout and process.stdout.readline() == b"held\n"
        yield
        assert process.stdin
        process.stdin.close()


SCRIPTS = {
    "run": lambda: lock.script(patience=0.2),
    "script": lambda: lock.alone("echo locked"),
    "scheduled": lambda: prune.script(want(), scheduled=True).partition("root=$(docker")[0],
}


@pytest.mark.skipif(os.geteuid() != 0, reason="acts as another user")
@pytest.mark.parametrize("which", SCRIPTS)
def test_no_other_account_can_hold_a_lock(which: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    folder = tmp_path / "locks"
    run(f"umask 000; {here(SCRIPTS[which](), folder)}", "me\n")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = [*folder.iterdir()]
    assert files
    for file in files:
        attack = [*NOBODY, "flock", "--nonblock", str(file), "echo", "held"]
        ran = subprocess.run(attack, capture_output=True, text=True, check=False)
        assert ran.stdout == ""


@pytest.mark.parametrize("file", [LOCK, WORK])
@pytest.mark.parametrize("which", SCRIPTS)
def test_a_wait_ends_and_says_who_holds_the_lock(which: str, file: str, tmp_path: Path) -> None:
    if (which, file) == ("script", LOCK):
        return  # its run has that one
    with held(here(file, tmp_path)):
        ended = run(here(SCRIPTS[which](), tmp_path, 0.2), "me\n", more=which == "run")
    assert "bob since noon" in ended.stdout + ended.stderr
    assert "locked" not in ended.stdout


def test_the_next_one_is_told_which_script_goes_on(tmp_path: Path) -> None:
    ended = run(here(lock.alone(f"cat {WORK}; echo locked"), tmp_path))
    assert ended.stdout.startswith("a script of process ")
    assert ended.stdout.endswith("locked\n")
