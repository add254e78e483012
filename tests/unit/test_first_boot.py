"""What a machine image is given for the first boot of its clones, and how the program decides."""

import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from runnerkit import converge
from runnerkit.errors import KitError
from runnerkit.facts import Facts, File
from runnerkit.plan import Script
from runnerkit.steps import first_boot
from runnerkit.templates import render
from runnerkit.want import Want
from tests.unit.build import TOKEN, blank, converged, want

TITLES = [
    "write /usr/local/lib/runnerkit/first-boot",
    "write /usr/local/lib/runnerkit/leave",
    "write /etc/systemd/system/runnerkit-first-boot.service",
    "write /etc/systemd/system/runnerkit-leave.service",
    "write /etc/systemd/system/poweroff.target.d/runnerkit.conf",
    "write /etc/systemd/system/reboot.target.d/runnerkit.conf",
    "write /etc/systemd/system/ssh-host-keys.service",
    "enable runnerkit-first-boot.service, ssh-host-keys.service",
]


def titles(wanted: Want, have: Facts) -> list[str]:
    return [change.title for change in first_boot.changes(wanted, have)]


def program(wanted: Want) -> str:
    """That of a machine's first boot."""
    return first_boot.first_boot(wanted, wanted.runners[0])


def baked(wanted: Want, **files: File) -> Facts:
    """A machine on which the step has nothing left to do, but for `files`."""
    result = {
        path: File(content.text.encode(), content.mode, 500)
        for path, content in first_boot._files(wanted).items()
    }
    result |= {
        path: File(b"", 0o644, 500) for path in map(first_boot._link, first_boot.units(wanted))
    }
    return converged(files=result | files)


def test_a_blank_machine_gets_all_of_it_and_starts_none_of_it() -> None:
    result = list(first_boot.changes(want(), blank()))
    assert [change.title for change in result] == TITLES
    assert isinstance(result[-1], Script)
    assert "--now" not in result[-1].text
    assert " start " not in result[-1].text


def test_a_baked_machine_needs_nothing() -> None:
    assert titles(want(), baked(want())) == []


@pytest.mark.parametrize(
    ("path", "file", "title"),
    [
        (first_boot.FIRST_BOOT, File(b"other", 0o700, 500), TITLES[0]),
        (first_boot.LEAVE, File(first_boot.leave(want()).encode(), 0o755, 500), TITLES[1]),
        (first_boot.SERVICE, File(b"", 0o644, 500), TITLES[2]),
    ],
)  # fmt: skip
def test_only_what_differs_is_written(path: str, file: File, title: str) -> None:
    assert titles(want(), baked(want(), **{path: file})) == [title]


def test_a_unit_that_is_not_enabled_is_enabled() -> None:
    have = baked(want())
    link = first_boot._link("runnerkit-first-boot.service")
    files = {path: file for path, file in have.files.items() if path != link}
    assert titles(want(), converged(files=files)) == ["enable runnerkit-first-boot.service"]


def test_a_machine_without_systemd_is_refused() -> None:
    with pytest.raises(KitError, match="no systemd"):
        titles(want(), blank(systemd=False))


def test_a_distribution_that_is_not_listed_with_dpkg_is_refused() -> None:
    fedora = {"ID": "fedora", "PRETTY_NAME": "Fedora Linux 43"}
    with pytest.raises(KitError, match="an image of Fedora Linux 43 cannot be made"):
        titles(want(), blank(os=fedora))
    assert titles(want(), blank(os={"ID": "ubuntu", "ID_LIKE": "debian"})) == TITLES


def test_settings_of_several_runners_are_refused() -> None:
    more = want(runners={"docs": {"image": "debian:bookworm"}})
    with pytest.raises(KitError, match=r"an image is for one runner, .* web, docs"):
        titles(more, blank())


SCALED = {"executor": "docker-autoscaler", "image": "debian:bookworm", "autoscaler": {"plugin": "aws", "policy": [{}]}}  # fmt: skip


def test_a_machine_that_an_autoscaler_makes_registers_nothing() -> None:
    result = want(manager={"concurrent": 1}, runners={"web": SCALED})
    assert titles(result, blank()) == [
        "write /etc/systemd/system/ssh-host-keys.service",
        "enable ssh-host-keys.service",
    ]
    assert titles(result, baked(result)) == []


def test_settings_of_both_kinds_say_which_the_image_is_for() -> None:
    both = want(manager={"concurrent": 1}, runners={"scaled": SCALED})
    with pytest.raises(
        KitError, match=r"for one runner, or for those of autoscalers.* web, scaled"
    ):
        titles(both, blank())


def test_an_image_is_never_registered_and_has_no_manager() -> None:
    result = [change.title for change in converge.plan(want(), converged(), converge.GOLDEN)]
    assert result == TITLES
    text = "".join(content.text for content in first_boot._files(want()).values())
    assert TOKEN not in text


def test_programs_that_hold_settings_are_for_root_alone() -> None:
    modes = {path: content.mode for path, content in first_boot._files(want()).items()}
    assert {mode for path, mode in modes.items() if path.startswith("/usr")} == {0o700}


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({}, '"$(uname -n)-web"'),
        ({"runners": {"web": {"name": "my runner"}}}, "'my runner'"),
    ],
)  # fmt: skip
def test_a_runner_is_named_as_the_kit_would_name_it(settings: dict[str, Any], name: str) -> None:
    assert f"value RUNNERKIT_NAME {name})" in program(want(**settings))


def test_the_manager_takes_the_machines_own_processors() -> None:
    manager = {"concurrent": "auto", "settings": {"check_interval": 5}}
    text = program(want(manager=manager))
    assert 'echo "concurrent = $(nproc)"' in text
    head = text.partition("<<'CONFIG'\n")[2].partition("CONFIG\n")[0]
    assert tomllib.loads(head) == {"check_interval": 5}
    wins = {"concurrent": "auto", "settings": {"concurrent": 3}}
    assert "nproc" not in program(want(manager=wins))
    fixed = program(want(manager={"concurrent": 7}))
    assert "nproc" not in fixed
    assert "concurrent = 7\n" in fixed


def test_the_shutdown_waits_as_long_as_jobs_may_take() -> None:
    files = first_boot._files(want(manager={"stop_timeout": 100}))
    assert "TimeoutStopSec=280\n" in files[first_boot.LEAVE_SERVICE].text
    assert {files[path].text for path in first_boot.PATIENT} == {"[Unit]\nJobTimeoutSec=2080\n"}


@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize("part", ["first_boot", "leave", "seal"])
def test_the_programs_are_shell(part: str, shell: str) -> None:
    wanted = want(manager={"environment": {"HTTPS_PROXY": "http://it's:8080"}})
    texts = {
        "first_boot": program(wanted),
        "leave": first_boot.leave(wanted),
        "seal": first_boot.seal(wanted, "packer"),
    }
    subprocess.run([shell, "-n"], input=texts[part], text=True, check=True)


def decides(folder: Path, pause: str = "exit 7", **files: str) -> tuple[int, str]:
    """What the program makes of these files, with no Docker but one that is among them."""
    for name, text in files.items():
        (file := folder / name.replace("_", "-")).write_text(text)
        file.chmod(0o700)
    text = program(want(manager={"config_dir": str(folder / "config")}))
    text = text.replace("/run/runnerkit", str(folder)).replace("/etc/runnerkit", str(folder))
    text = text.replace("sleep 1", pause).replace("wait_for_news 300", "wait_for_news 2")
    ran = subprocess.run(
        ["sh"], input=text, text=True, capture_output=True, check=False, timeout=60,
        env={"PATH": f"{folder}:/usr/bin:/bin"},
    )  # fmt: skip
    return ran.returncode, ran.stdout + ran.stderr


def test_without_a_secret_it_says_where_it_looks_and_waits(tmp_path: Path) -> None:
    code, output = decides(tmp_path)
    assert (code, output.count("no secret yet")) == (7, 1)
    assert all(str(tmp_path / name) in output for name in ("token", "token-command"))


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("glpat-unit0000000000", "holds a personal access token"),
        ("GR1348941unit000000", "holds a registration token"),
        ("glrt-one\nglrt-two", "holds no token"),
        ("glrt-'; rm -rf /", "holds no token"),
    ],
)  # fmt: skip
def test_what_is_no_runner_token_is_refused_unasked(tmp_path: Path, token: str, words: str) -> None:
    code, output = decides(tmp_path, token=token)
    assert (code, words in output, "not tried again" in output) == (7, True, True)
    assert token not in output


@pytest.mark.parametrize("files", [{"token": ""}, {"token_command": "#!/bin/sh\necho x\n"}])
def test_a_secret_that_is_not_there_yet_is_tried_again(
    tmp_path: Path, files: dict[str, str]
) -> None:
    code, output = decides(tmp_path, **files)
    assert (code, "next try at" in output, "in 5 s" in output) == (7, True, True)


def test_docker_that_does_not_answer_is_tried_again(tmp_path: Path) -> None:
    code, output = decides(tmp_path, token="glrt-unit0000000000000000\n", docker="exit 1")
    assert (code, output.startswith("<4>Docker does not answer; next try at")) == (7, True)


DOCKER = """#!/bin/sh
case $* in
  *register*|run*--rm*)
    echo asked >>FOLDER/asked
    grep -q glrt-new && echo '[[runners]]' >FOLDER/config/config.toml && exit
    echo 'ERROR: Verifying runner... is not valid'; exit 1 ;;
  inspect*) echo true always ;;
esac
"""
# Tells the old secret until it was asked four times.
ROTATED = """#!/bin/sh
echo >>FOLDER/times
[ $(wc -l <FOLDER/times) -lt 5 ] && echo glrt-old000000000000000 || echo glrt-new000000000000000
"""


def test_a_secret_that_its_store_has_renewed_is_found_without_asking_gitlab_of_the_old_one_again(
    tmp_path: Path,
) -> None:
    docker, command = (text.replace("FOLDER", str(tmp_path)) for text in (DOCKER, ROTATED))
    code, output = decides(tmp_path, pause=":", docker=docker, token_command=command)
    assert code == 0, output
    assert output.count("refuses the secret of") == 1
    assert "registered " in output
    assert (tmp_path / "asked").read_text() == "asked\n" * 2
    assert (tmp_path / "times").read_text() == "\n" * 5


def test_user_data_is_what_first_boot_reads() -> None:
    data = render("user-data.yaml")
    assert data.startswith("#cloud-config\n")
    places = (first_boot.TOKENS[1], first_boot.COMMAND, first_boot.VALUES[0])
    assert all(f"- path: {place} " in data.replace("\n", " ") for place in places)
    text = program(want())
    for name in ("RUNNERKIT_URL", "RUNNERKIT_NAME"):
        assert f"{name}=" in data
        assert f"value {name} " in text
    assert "RUNNERKIT_DRAIN=yes" in data
