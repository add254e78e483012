"""The kit built as a wheel, and installed where no clone is in sight."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runnerkit.place import ROOT
from sandbox.world import up

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def pip(python: str, *words: str | Path) -> None:
    command = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", *words]
    subprocess.run(command, check=True)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip(sys.executable, "wheel", "--no-deps", "--wheel-dir", folder, ROOT)
    (file,) = folder.glob("runnerkit-*.whl")
    return file


@pytest.fixture(scope="session")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed runnerkit, in an environment of its own."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = str(folder / "bin/python")
    pip(python, "install", "--require-hashes", "-r", ROOT / "requirements.lock")
    pip(python, "install", "--no-deps", wheel)
    return folder / "bin/runnerkit"


@pytest.fixture(scope="session")
def docker() -> None:
    """Docker on this machine, running: where it is there and stopped, a plan knows no images."""
    up()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a program in an empty folder; a traceback is a bug."""
    monkeypatch.chdir(tmp_path)
    env = {name: value for name, value in os.environ.items() if not name.startswith("RUNNERKIT_")}
    env |= {"PYTHONPATH": "", "COLUMNS": "200", "RUNNER_TOKEN": "glrt-notused"}

    def run(*words: str | Path) -> "subprocess.CompletedProcess[str]":
        ran = subprocess.run(
            words, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        assert "Traceback" not in ran.stderr, ran.stderr
        return ran

    return run
