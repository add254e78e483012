"""Which settings, which folders and which words: in a clone, from another folder, and installed."""

import subprocess
import tomllib
from pathlib import Path

import pytest

from runnerkit import place
from runnerkit.errors import KitError
from runnerkit.golden import builddir
from runnerkit.images import catalog
from runnerkit.settings import starter
from runnerkit.settings.load import load


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A filled-in clone; the working folder is another one, beside it."""
    (tmp_path / "clone/dockerfiles/ready").mkdir(parents=True)
    (tmp_path / "clone/dockerfiles/ready/Dockerfile").write_text("FROM clone\n")
    (tmp_path / "clone/runnerkit.toml").touch()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(place, "ROOT", tmp_path / "clone")
    for name in ("RUNNERKIT_SETTINGS", "RUNNERKIT_DOCKERFILES", "RUNNERKIT_COMMAND"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "clone"


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNNERKIT_COMMAND", "runnerkit")
    for module in (place, starter):
        monkeypatch.setattr(module, "CLONE", False)


def test_the_settings_are_those_of_the_working_folder_or_else_of_the_clone(clone: Path) -> None:
    assert place.settings_file() == clone / "runnerkit.toml"
    Path("runnerkit.toml").touch()
    assert place.settings_file() == Path("runnerkit.toml")


def test_the_settings_may_be_named(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNNERKIT_SETTINGS", "/fleet/runnerkit.toml")
    assert place.settings_file() == Path("/fleet/runnerkit.toml")
    assert place.dockerfiles()[0] == Path("/fleet/dockerfiles")
    monkeypatch.setenv("RUNNERKIT_SETTINGS", "")
    assert place.settings_file() is None, "the clone's are left out"


def own(name: str) -> Path:
    folder = Path("dockerfiles", name)
    folder.mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM ready\n")
    return folder


def test_own_images_are_built_on_ready_made_ones_and_win(clone: Path) -> None:
    Path("runnerkit.toml").touch()
    own("web")
    assert place.image_folders() == {"web", "ready"}
    images = catalog.closed(load(), ["web"])
    assert [(image.name, image.bases) for image in images] == [
        ("ready", ("clone",)),
        ("web", ("ready",)),
    ]
    assert place.image_folder("ready") == clone / "dockerfiles/ready"
    assert place.image_folder(own("ready").name) == Path("dockerfiles/ready")


def test_named_folders_are_the_only_ones(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own("web")
    monkeypatch.setenv("RUNNERKIT_DOCKERFILES", f"/none:{Path('dockerfiles').absolute()}")
    assert place.image_folders() == {"web"}


def test_a_bake_has_the_same_folders(clone: Path) -> None:
    here, kits = Path.cwd() / "dockerfiles", clone / "dockerfiles"
    Path("runnerkit.toml").touch()
    assert f"RUNNERKIT_DOCKERFILES={here}:{kits} " in builddir.command(Path("/build"))


def test_what_is_kept_is_kept_where_the_user_may_write(
    clone: Path, installed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert place.state() == Path("/state/runnerkit")
    monkeypatch.setenv("XDG_STATE_HOME", "")
    monkeypatch.setenv("HOME", "/home/ci")
    assert place.state() == Path("/home/ci/.local/state/runnerkit")


def test_a_clone_keeps_it_itself(clone: Path) -> None:
    assert place.state() == clone


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("./inv init writes one", "../inv init writes one"),
        ("make room (./inv image.prune), or", "make room (../inv image.prune), or"),
        ("`./inv plan` tells", "`../inv plan` tells"),
        ("A=x ./inv plan", "A=x ../inv plan"),
        ("../inv init, ./invoice", "../inv init, ./invoice"),
    ],
)
def test_what_to_do_next_is_said_as_it_is_typed(
    monkeypatch: pytest.MonkeyPatch, text: str, shown: str
) -> None:
    monkeypatch.setenv("RUNNERKIT_COMMAND", "../inv")
    assert place.typed(text) == shown
    assert KitError("x", text).message == f"error: x\n  fix: {shown}"


def test_a_new_file_of_an_installed_kit_speaks_of_its_command(clone: Path, installed: None) -> None:
    words = starter.write(Path("runnerkit.toml"))
    assert "then: runnerkit plan --host all" in words
    assert words.endswith("(ready)")
    text = Path("runnerkit.toml").read_text()
    assert "`runnerkit plan" in text
    assert "./inv" not in text


def test_a_new_file_of_a_clone_is_for_all_who_have_it(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNNERKIT_COMMAND", "../clone/inv")
    assert "then: ../clone/inv plan" in starter.write(Path("runnerkit.toml"))
    assert Path("runnerkit.toml").read_text() == (place.TEMPLATES / "runnerkit.toml").read_text()


def test_the_wheel_takes_the_ready_made_folders_and_no_team_s_own() -> None:
    build = tomllib.loads((place.ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    taken = {one for one in build["targets"]["wheel"]["only-include"] if "dockerfiles" in one}
    listed = ["git", "-C", str(place.ROOT), "ls-files", "-z", "dockerfiles"]
    ran = subprocess.run(listed, capture_output=True, text=True, check=False)
    if ran.returncode:
        pytest.skip("no clone by git")
    assert taken == {"/".join(file.split("/")[:2]) for file in ran.stdout.split("\0") if file}
