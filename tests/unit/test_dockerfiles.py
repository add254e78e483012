"""What job images are made of: Dockerfiles rendered from the settings, and the ready-made ones."""

import re
import subprocess
from pathlib import Path

import pytest

from runnerkit.images import catalog
from runnerkit.images.dockerfile import bases
from runnerkit.place import ROOT
from runnerkit.settings.load import load
from runnerkit.settings.model import Image, Settings
from runnerkit.templates import render

EXPECTED = Path(__file__).parent / "expected"
FOLDERS = sorted(path for path in (ROOT / "dockerfiles").iterdir() if path.is_dir())
READY_MADE = ("ci-debian", "ci-go", "ci-node", "ci-php", "ci-python")
OFFICIAL = {"ci-go": "golang", "ci-node": "node", "ci-php": "php", "ci-python": "python"}
LISTS = "/var/lib/apt/lists"
BUILDKIT_ONLY = r"(?m)^# syntax=|--mount=|--link\b|--chmod=|<<-?[\"']?[A-Z]"
WORDS = ("git", "it's", "libvips-dev=8.14.1-3", "zlib >= 1.3")


def rendered(**image: object) -> str:
    return render("Dockerfile.j2", image=Image(**image))  # type: ignore[arg-type]


@pytest.mark.parametrize("settings", sorted(EXPECTED.glob("*.toml")), ids=lambda path: path.stem)
def test_settings_become_this_dockerfile(settings: Path) -> None:
    text = render("Dockerfile.j2", image=load(settings).images[settings.stem])
    assert text == settings.with_suffix(".Dockerfile").read_text()


def test_the_order_of_packages_and_arguments_does_not_matter() -> None:
    one = rendered(base="a:${A}", packages=("b", "a"), build_args={"B": "", "A": ""})
    assert one == rendered(base="a:${A}", packages=("a", "b"), build_args={"A": "", "B": ""})


def test_no_value_of_an_argument_is_in_the_dockerfile() -> None:
    assert "1234" not in rendered(base="a:${A}", packages=("b",), build_args={"A": "1234"})


@pytest.mark.parametrize("kind", ["all", "ftp", "http", "https", "no"])
def test_a_proxy_stays_out_of_the_history(kind: str) -> None:
    output = {f"{kind}_proxy": "user:1234@p", f"{kind.upper()}_PROXY": "user:1234@p"}
    assert "ARG" not in rendered(base="a:$B", packages=("git",), build_args=output)


@pytest.mark.parametrize("packages", [(), ("git",)])
def test_a_rendered_file_is_tidy(packages: tuple[str, ...]) -> None:
    text = rendered(base="a:${A}", packages=packages, build_args={"A": "1"})
    assert text.endswith("\n")
    assert not re.search(r"[ \t]$|\n\n|\A\n", text, re.MULTILINE)


def run(folder: Path, *programs: str, fails: str = "nothing") -> tuple[int, str, str]:
    """Run the rendered RUN where only these programs are; what they were called with, and stderr."""
    (folder / "lists/partial").mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "bin/rm").symlink_to("/bin/rm")
    for name in programs:
        program = folder / "bin" / name
        program.write_text(
            f'#!/bin/sh\nfor word in {name} "$@"; do printf "<%s>" "$word"; done >>{folder}/calls\n'
            f'echo >>{folder}/calls\nif [ "$1" = {fails} ]; then exit 7; fi\n'
        )
        program.chmod(0o755)
    text = rendered(base="a", packages=WORDS[::-1]).partition("RUN ")[2]
    script = text.replace("\\\n", "").replace(LISTS, f"{folder}/lists")
    ran = subprocess.run(
        ["/bin/sh", "-c", script], env={"PATH": f"{folder}/bin"}, capture_output=True, check=False
    )
    calls = folder / "calls"
    return ran.returncode, calls.read_text() if calls.exists() else "", ran.stderr.decode()


QUOTED = "".join(f"<{word}>" for word in WORDS)
MANAGERS = {
    "apt-get": f"<apt-get><update>\n<apt-get><install><-y><--no-install-recommends>{QUOTED}\n<apt-get><clean>\n",
    "apk": f"<apk><add><--no-cache>{QUOTED}\n",
    "dnf": f"<dnf><install><-y><--setopt=install_weak_deps=0>{QUOTED}\n<dnf><clean><all>\n",
    "microdnf": f"<microdnf><install><-y><--setopt=install_weak_deps=0>{QUOTED}\n<microdnf><clean><all>\n",
    "yum": f"<yum><install><-y><--setopt=skip_missing_names_on_install=0>{QUOTED}\n<yum><clean><all>\n",
}


@pytest.mark.parametrize("manager", MANAGERS)
def test_each_package_manager_gets_the_words_as_written(tmp_path: Path, manager: str) -> None:
    assert run(tmp_path, manager) == (0, MANAGERS[manager], "")
    assert (tmp_path / "lists/partial").exists() == (manager != "apt-get")


@pytest.mark.parametrize("manager", MANAGERS)
def test_a_package_that_cannot_be_had_ends_the_build(tmp_path: Path, manager: str) -> None:
    code, calls, _ = run(tmp_path, manager, fails="add" if manager == "apk" else "install")
    assert code == 7
    assert "clean" not in calls


def test_a_failed_index_update_ends_the_build(tmp_path: Path) -> None:
    assert run(tmp_path, "apt-get", fails="update")[:2] == (7, "<apt-get><update>\n")


def test_a_base_without_package_manager_is_said(tmp_path: Path) -> None:
    code, calls, output = run(tmp_path)
    assert (code, calls) == (1, "")
    assert output.startswith("no package manager in the base: apt-get, apk, dnf, microdnf or yum")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_a_folder_of_dockerfiles_keeps_good_practice(folder: Path) -> None:
    text = (folder / "Dockerfile").read_text()
    joined = text.replace("\\\n", "")
    found = bases(text, {})
    assert found and all(re.search(r":(?!latest)[\w.-]*\d|:bookworm$", name) for name in found)
    assert text.startswith("# ")
    assert not re.search(BUILDKIT_ONLY, text)
    assert not re.search(r"\b(dist-|full-)?upgrade\b|(?i:token|secret|password)", text)
    for line in (line for line in joined.splitlines() if "apt-get" in line):
        assert "apt-get update" in line and "DEBIAN_FRONTEND=noninteractive apt-get" in line
        assert "install -y --no-install-recommends" in line
        assert line.endswith(f"&& rm -rf {LISTS}/*")


@pytest.mark.parametrize("name", READY_MADE)
def test_a_ready_made_folder_says_what_it_is_for_and_how_to_use_it(name: str) -> None:
    text = (ROOT / "dockerfiles" / name / "Dockerfile").read_text()
    assert re.match(
        rf"# For jobs .+\n# Use it as image: {name}, or copy .+ Another .+\n(ARG|FROM) ", text
    )
    packages = re.findall(r"(?m)^ {8}(\S+)", text)
    assert packages == sorted(packages)
    assert len(re.findall("(?m)^RUN ", text)) == 1


@pytest.mark.parametrize("name", OFFICIAL)
def test_another_version_is_one_build_argument(name: str) -> None:
    text = (ROOT / "dockerfiles" / name / "Dockerfile").read_text()
    argument = name.removeprefix("ci-").upper()
    assert f"{OFFICIAL[name]}:99-" in " ".join(bases(text, {argument: "99"}))
    assert f"{OFFICIAL[name]}:99-" not in " ".join(bases(text, {}))


@pytest.mark.parametrize("name", READY_MADE)
def test_a_ready_made_folder_can_be_used_as_it_is(name: str) -> None:
    found = catalog.find(Settings(), name)
    assert found and found.name == name
