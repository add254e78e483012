"""A bare word that is no host of the settings: a host all the same, or a slip."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from runnerkit.machine import names


@pytest.fixture(autouse=True)
def nobody_resolves(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> None:
        raise OSError

    monkeypatch.setattr("socket.getaddrinfo", refused)


@pytest.mark.skipif(not shutil.which("ssh"), reason="there is no ssh here")
@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("", False),
        ("Host build\n Port 2222\n", True),
        ("Host b*\n HostName %h.example.com\n", True),
        ("Host build other # ours\n User ci\n", True),
        ("Match host build\n User ci\n", True),
        ("Host *\n ProxyJump bastion\n", True),
        ("Host *\n ControlPath ~/.ssh/%r@%h\n User ci\n IdentityFile ~/.ssh/%h\n", False),
        ("Host * !build\n User ci\n", True),
        ("Host other\n User ci\n", False),
    ],
)
def test_what_ssh_s_settings_say_of_a_name_alone_makes_it_one(
    config: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/config").write_text(config)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert names.known("build") is expected


@pytest.mark.skipif(not shutil.which("ssh"), reason="there is no ssh here")
def test_a_name_in_capitals_is_not_known_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert not names.known("Build")


def test_without_ssh_the_network_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr(subprocess, "run", None)
    assert not names.known("build")
    monkeypatch.setattr("socket.getaddrinfo", lambda *_: [1])
    assert names.known("build")
