"""A manager is taken off GitLab by its runner's token, which is data, by programs of any age."""

import json
import subprocess
from pathlib import Path

import pytest

from runnerkit.files.config_toml import inline
from runnerkit.templates import render
from tests.unit.build import want

HOSTILE = "glrt-$(touch pwned)`touch pwned`\"'\nRUN\nREQUEST\nENTRY\ntouch pwned\n"


def ran(folder: Path, version: str, answer: str) -> "subprocess.CompletedProcess[str]":
    """The script with stand-ins: docker runs what it is given here, curl and the program write down
    what they are."""
    programs = {
        "docker": f"sed 's,/etc/gitlab-runner,{folder}/etc,g; s,/tmp/own,{folder}/own,g' | sh -s",
        "gitlab-runner": f"""case $1 in --version) echo 'Version:      {version}' ;; *) cp {folder}/own/config.toml {folder}/asked
        echo '{answer}' ; exit 1 ;; esac""",
        "curl": f"cat >{folder}/body; echo 'status={answer} '",
    }
    (folder / "etc").mkdir()
    (folder / "etc/.runner_system_id").write_text("s_0123456789ab")
    for name, text in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    entry = {"name": "x", "url": "https://gitlab.example.com/", "token": HOSTILE}
    text = render(
        "unregister.sh.j2", want=want(), entries=[entry], toml=inline, pause=0, strict=True
    )
    return subprocess.run(
        ["sh", "-e"], input=text, text=True, capture_output=True, check=False, cwd=folder,
        env={"PATH": f"{folder}:/usr/bin:/bin"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("version", "answer", "code"),
    [
        ("15.11.1", "204", 0),
        ("15.11.1", "404", 0),  # it was off already
        ("15.11.1", "403", 0),
        ("15.11.1", "502", 1),
        ("17.5.5", "ERROR: Unregistering runner from GitLab forbidden", 0),
        ("17.5.5", "ERROR: failed  status=404 Not Found", 0),
        ("17.5.5", "ERROR: failed  status=502 Bad Gateway", 1),
        ("17.5.5", "dial tcp: lookup gitlab.example.com: no such host", 1),
    ],
)
def test_what_gitlab_did_not_take_off_ends_the_removal(
    tmp_path: Path, version: str, answer: str, code: int
) -> None:
    done = ran(tmp_path, version, answer)
    assert done.returncode == code, done.stderr
    assert not list(tmp_path.rglob("pwned"))
    if version.startswith("15"):
        body = json.loads((tmp_path / "body").read_text())
        assert body == {"token": HOSTILE, "system_id": "s_0123456789ab"}
    else:
        assert "touch pwned" in (tmp_path / "asked").read_text()
