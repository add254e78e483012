"""What `pip install .` gives: the same menu, with all that it needs, from any folder."""

import os
import re
import sys
from pathlib import Path
from zipfile import ZipFile

import invoke
import pytest

from runnerkit import __version__
from runnerkit.place import ROOT
from tests.package.conftest import Run

PLAN = ("plan", "--host", "local", "--url", "http://127.0.0.1:9", "--image", "web")


def test_the_wheel_has_every_file_and_no_name_but_its_own(wheel: Path) -> None:
    names = {name for name in ZipFile(wheel).namelist() if not name.endswith("/")}
    parts = ("templates", "dockerfiles", "packer", "sandbox")
    files = {file for part in parts for file in (ROOT / part).rglob("*") if file.is_file()}
    kit = {file.relative_to(ROOT).as_posix() for file in files if file.parent.name != "__pycache__"}
    assert {name for name in names if name.startswith("runnerkit/kit/")} == {
        f"runnerkit/kit/{name}" for name in {*kit, "tasks.py"}
    }
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"runnerkit", f"runnerkit-{__version__}.dist-info"}


@pytest.mark.parametrize("words", [(), ("--list",)])
def test_the_menu_is_that_of_a_clone_without_its_checks(
    command: Path, run: Run, words: tuple[str, ...]
) -> None:
    def tasks(text: str) -> set[str]:
        return set(re.findall(r"(?m)^  (\w[\w.]*)", text))

    assert tasks(run(command, *words).stdout) == tasks(run(ROOT / "inv").stdout) - {"test"}


def test_it_says_its_version(command: Path, run: Run) -> None:
    assert run(command, "--version").stdout == f"runnerkit {__version__}\n"


def test_errors_say_what_to_type_next(command: Path, run: Run) -> None:
    ran = run(command, "plan", "--host", "all")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "runnerkit init writes one" in ran.stderr


def test_init_writes_settings_and_tells_of_the_ready_made_images(command: Path, run: Run) -> None:
    ran = run(command, "init")
    assert ran.returncode == 0
    assert Path("runnerkit.toml").is_file()
    (folder,) = re.findall(r"copy into ./dockerfiles: (\S+) ", ran.stdout)
    assert Path(folder, "ci-debian/Dockerfile").is_file()
    assert not Path(folder).is_relative_to(ROOT)


def own_image() -> None:
    Path("dockerfiles/web").mkdir(parents=True)
    Path("dockerfiles/web/Dockerfile").write_text("FROM ci-debian\nRUN true\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="looks at this machine as root")
@pytest.mark.usefixtures("docker")
@pytest.mark.parametrize("kit", ["installed", "clone"])
def test_an_image_of_the_folder_is_planned_on_a_ready_made_one(
    command: Path, run: Run, kit: str
) -> None:
    own_image()
    ran = run(command if kit == "installed" else ROOT / "inv", *PLAN)
    assert ran.returncode == 1, "no GitLab answers there"
    assert "does not answer the host" in ran.stderr
    planned = ran.stdout
    assert planned.index("build the job image ci-debian") < planned.index("the job image web")


def test_inv_works_from_another_folder_and_by_a_link(run: Run) -> None:
    Path("kit").symlink_to(ROOT / "inv")
    ran = run("./kit", "init")
    assert ran.stdout == "wrote runnerkit.toml; fill it in, then: ./kit plan --host all\n"
    ran = run(os.path.relpath(ROOT / "inv"), "init")
    assert "runnerkit.toml is there already" in ran.stderr


def test_invoke_without_the_libraries_says_what_has_them(run: Run) -> None:
    Path("invoke").symlink_to(Path(invoke.__file__).parent)
    words = ["invoke", "--search-root", str(ROOT), "plan"]
    program = f"from invoke.main import program; program.run({words})"
    ran = run(sys.executable, "-S", "-c", program)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.endswith("fix: type ./inv, which has them, for invoke\n")


def test_invoke_alone_works_like_inv_in_a_prepared_environment(command: Path, run: Run) -> None:
    listed = run(ROOT / "inv", "--list").stdout
    os.chdir(ROOT)
    by_invoke = run(command.with_name("invoke"), "--list").stdout
    assert by_invoke.splitlines()[1:] == listed.splitlines()[1:]  # but for the heading
