"""What may hold a secret is its owner's alone, and what root runs is root's."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from runnerkit.facts import File
from runnerkit.files.write import Content, differing, write_file
from runnerkit.golden import tools


def run(text: str) -> None:
    subprocess.run(["sh", "-c", text], check=True, capture_output=True)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(("wanted", "folder"), [(0o600, 0o700), (0o644, 0o755)])
def test_the_folder_of_a_private_file_is_private(tmp_path: Path, wanted: int, folder: int) -> None:
    path = tmp_path / "made/config.toml"
    run(f"umask 000; {write_file(str(path), 'x', wanted).text}")
    assert (mode(path), mode(path.parent)) == (wanted, folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="makes a file of another user")
@pytest.mark.parametrize("own", [True, False])
def test_a_program_of_the_kit_s_is_root_s_whosever_it_was(tmp_path: Path, own: bool) -> None:
    path = tmp_path / "prune"
    path.write_text("old")
    os.chown(path, 65534, 65534)
    has = {str(path): File(b"old", 0o644, 1)}
    if own:
        (change,) = differing({str(path): Content("new", 0o755)}, has)
    else:
        change = write_file(str(path), "new", 0o644, old=b"old")
    run(change.text)
    assert path.read_text() == "new"
    assert path.stat().st_uid == (0 if own else 65534)


def test_what_is_baked_is_its_owner_s(tmp_path: Path) -> None:
    (folder := tmp_path / ".golden").mkdir(0o755)
    assert mode(tools.private(folder)) == 0o700
    assert mode(tools.private(tmp_path / "new/.golden")) == 0o700
