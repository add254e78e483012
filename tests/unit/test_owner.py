"""What another user leaves in one's way decides nothing."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runnerkit.errors import KitError
from runnerkit.images import catalog
from runnerkit.place import settings_file
from runnerkit.settings.load import load
from runnerkit.settings.model import Settings

MALLORY = 65534
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes files of another user")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder like /tmp, in which one works; what is in it is mallory's."""
    monkeypatch.chdir(tmp_path)
    for name in ("RUNNERKIT_SETTINGS", "RUNNERKIT_DOCKERFILES", "SUDO_UID"):
        monkeypatch.delenv(name, raising=False)
    ran = tmp_path / "ran"
    (tmp_path / "runnerkit.toml").write_text(
        f'[gitlab]\napi_token = {{ command = ["touch", "{ran}"] }}\n'
    )
    (tmp_path / "dockerfiles/web").mkdir(parents=True)
    (tmp_path / "dockerfiles/web/Dockerfile").write_text("FROM evil\n")
    for path in [*tmp_path.rglob("*")]:
        os.chown(path, MALLORY, MALLORY)
    yield tmp_path
    assert not ran.exists()


@pytest.mark.parametrize("mode", [0o1777, 0o777, 0o775, 0o757])
def test_another_user_s_settings_in_a_shared_folder_are_refused(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    with pytest.raises(KitError, match="belongs to another user") as caught:
        load(settings_file())
    assert "RUNNERKIT_SETTINGS=" in caught.value.fix
    with pytest.raises(KitError, match="belongs to another user"):
        catalog.find(Settings(), "web")


def test_so_are_those_in_a_folder_of_theirs_within_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.chmod(0o1777)
    (inner := folder / "inner").mkdir(0o755)
    (folder / "runnerkit.toml").rename(inner / "runnerkit.toml")
    os.chown(inner, MALLORY, MALLORY)
    monkeypatch.chdir(inner)
    with pytest.raises(KitError, match="belongs to another user"):
        load(settings_file())


def test_a_link_of_theirs_to_a_file_of_mine_is_no_file_of_mine(folder: Path) -> None:
    folder.chmod(0o777)
    file = folder / "runnerkit.toml"
    file.rename(folder / "real")
    os.chown(folder / "real", 0, 0)
    file.symlink_to(folder / "real")
    os.chown(file, MALLORY, MALLORY, follow_symlinks=False)
    with pytest.raises(KitError, match="belongs to another user"):
        load(settings_file())


def test_naming_images_names_no_settings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.chmod(0o1777)
    monkeypatch.setenv("RUNNERKIT_DOCKERFILES", str(folder / "dockerfiles"))
    with pytest.raises(KitError, match="belongs to another user"):
        load(settings_file())
    assert catalog.find(Settings(), "web")


@pytest.mark.parametrize("how", ["mine", "sudo", "own folder", "named"])
def test_what_is_mine_or_named_is_obeyed(
    folder: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.chmod(0o755 if how == "own folder" else 0o1777)
    if how == "own folder":
        os.chown(folder, MALLORY, MALLORY)
    if how == "mine":
        os.chown(folder / "runnerkit.toml", 0, 0)
    elif how == "sudo":
        monkeypatch.setenv("SUDO_UID", str(MALLORY))
    elif how == "named":
        monkeypatch.setenv("RUNNERKIT_SETTINGS", "runnerkit.toml")
    assert load(settings_file()).gitlab.api_token
