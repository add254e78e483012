"""What a host tells is read as it is, from output recorded on a real one."""

import base64
import json
import re
import subprocess
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runnerkit import converge
from runnerkit.checks.gitlab import acceptance
from runnerkit.errors import KitError
from runnerkit.facts import File, Needs, look
from runnerkit.images.definition import INPUTS
from runnerkit.images.reference import normal
from runnerkit.place import TEMPLATES
from tests.unit.build import want

RECORDED = Path(__file__).parent / "recorded"


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("debian", "debian:latest"),
        ("docker.io/library/debian:12", "debian:12"),
        ("reg:5000/a/b", "reg:5000/a/b:latest"),
        ("a/b:v1@sha256:00", "a/b@sha256:00"),
    ],
)
def test_image_names_are_compared_as_the_engine_lists_them(name: str, full: str) -> None:
    assert normal(name) == full


def test_names_with_quotes_and_spaces_do_not_break_the_script() -> None:
    script = look.script(Needs(files=("/a b/c'd",), images=("$(x)",)), "name")
    assert """FILES=''"'"'/a b/c'""" in script
    assert "$(x)'" in script


@pytest.mark.parametrize("text", ["", "kernel: Linux a b\n", "Welcome!\nbash: command not found\n"])
def test_an_answer_cut_off_is_an_error_and_not_a_blank_host(text: str) -> None:
    with pytest.raises(KitError, match="Linux"):
        look.parse(text)


def test_what_a_login_shell_says_first_is_no_fact() -> None:
    output = "Hello there\nToday: fine\n"
    have = look.parse(f"{output}kernel: Linux ci1 x86_64\nos SUQ9eA==\nend: yes\n")
    assert (have.hostname, have.os) == ("ci1", {"ID": "x"})


@pytest.mark.parametrize("content", [b"", b"x", b"x" * 57, b"y" * 5000])
def test_what_base64_breaks_into_lines_is_one_fact(content: bytes) -> None:
    wrapped = base64.encodebytes(content).decode()
    file = f"file {base64.b64encode(b'/a b').decode()} 600 7 {wrapped}\n"
    have = look.parse(f"kernel: Linux ci1 x86_64\n{file}os SUQ9eA==\n\nend: yes\n")
    assert have.files == {"/a b": File(content, 0o600, 7)}
    assert have.os == {"ID": "x"}


def test_a_mac_is_named() -> None:
    with pytest.raises(KitError, match="runs Darwin, not Linux"):
        look.parse("kernel: Darwin mac arm64\nend: yes\n")


def test_a_blank_host_as_recorded() -> None:
    have = look.parse((RECORDED / "debian13-blank.txt").read_text())
    assert (have.hostname, have.os["VERSION_ID"], have.systemd) == ("blank13", "13", False)
    assert not have.dockerd
    assert not have.docker_runs
    assert not have.files
    assert have.free_kb > 0


def test_a_converged_host_as_recorded() -> None:
    have = look.parse((RECORDED / "debian12-converged.txt").read_text())
    assert (have.hostname, have.systemd, have.docker_runs) == ("ci1", True, True)
    assert have.info["RegistryConfig"]["Mirrors"]
    assert have.started > 1_700_000_000
    assert have.containers["gitlab-runner"]["State"]["Running"] is True
    assert "tester:latest" in have.images
    config = have.files["/srv/gitlab-runner/config/config.toml"]
    assert config.mode == 0o600
    assert "concurrent = 2" in config.text
    assert "is valid" in have.verify


def test_nothing_is_left_to_do_on_the_recorded_host() -> None:
    have = look.parse((RECORDED / "debian12-converged.txt").read_text())
    entry = tomllib.loads(have.files["/srv/gitlab-runner/config/config.toml"].text)["runners"][0]
    wanted = want(
        token="glrt-recorded00000000000",
        gitlab={"url": entry["url"]},
        manager={"concurrent": 2},
        runners={"web": {"image": "tester"}},
        images={"tester": {"base": "debian:bookworm"}},
    )
    (job,) = wanted.images
    built = have.images["tester:latest"]["Config"]["Labels"]  # of another day's template
    wanted = replace(wanted, images=(replace(job, inputs=built[INPUTS]),))
    assert converge.plan(wanted, have) == []
    assert acceptance.accepted(wanted, have) == ["ci1-web"]


def told(name: str, answer: object) -> str:
    """What a host prints whose docker gives that answer, where others are as recorded."""
    text = (RECORDED / "debian12-converged.txt").read_text()
    word = base64.b64encode(json.dumps(answer).encode()).decode()
    changed, count = re.subn(rf"(?m)^{name} .*$", f"{name} {word}", text)
    assert count == 1
    return changed


@pytest.mark.parametrize(
    ("name", "path", "wrong"),
    [
        ("info", [], [1]),
        ("info", ["ServerVersion"], 5),
        ("info", ["SecurityOptions"], 7),
        ("info", ["RegistryConfig"], []),
        ("info", ["RegistryConfig", "Mirrors"], {"a": 1}),
        ("info", ["RegistryConfig", "IndexConfigs"], {"a": "b"}),
        ("containers", [], {"a": 1}),
        ("containers", [0, "State"], None),
        ("containers", [0, "State", "StartedAt"], 5),
        ("containers", [0, "HostConfig", "RestartPolicy"], None),
        ("containers", [0, "HostConfig", "PortBindings"], {"9252/tcp": "x"}),
        ("containers", [0, "Config", "Env"], "PATH=/"),
        ("containers", [0, "Mounts"], None),
        ("images", [0, "Config"], "x"),
        ("images", [0, "Config", "Labels"], ["runnerkit.image"]),
        ("images", [0, "RootFS", "Layers"], 5),
        ("images", [0, "RepoTags"], [1]),
    ],
)  # fmt: skip
def test_an_answer_of_another_type_than_docker_s_is_told_and_no_bug(
    name: str, path: list[Any], wrong: object
) -> None:
    line = re.search(rf"(?m)^{name} (.*)$", (RECORDED / "debian12-converged.txt").read_text())
    assert line
    whole = [json.loads(base64.b64decode(line[1]))]
    at: Any = whole
    for key in [0, *path][:-1]:
        at = at[key]
    at[[0, *path][-1]] = wrong
    with pytest.raises(KitError, match="cannot be read: "):
        look.parse(told(name, whole[0]))


def image(size: int) -> dict[str, Any]:
    return {"Id": "sha256:0", "Config": {"Labels": {"runnerkit.image": "x", "more": "{ y" * size}}}


def lines(count: int) -> dict[str, Any]:
    return {"Labels": {str(number): "y" * 99 for number in range(count)}}


@pytest.mark.parametrize(
    ("images", "left"),
    [
        ([], []),
        ([image(1)], [image(1)]),
        ([image(1), image(900_000), image(2)], [image(1), image(2)]),
        ([image(1), lines(9000)], [image(1)]),
        ([image(1), *[image(60_000)] * 99], [image(1), *[image(60_000)] * 44]),
    ],
)
def test_images_with_labels_without_measure_are_left_out(images: Any, left: Any) -> None:
    """A job may pull some that have the kit's label, and the whole answer must stay readable."""
    (bounded,) = re.findall(r"(?ms)^bounded\(\) \{.*?^\}", (TEMPLATES / "look.sh").read_text())
    ran = subprocess.run(
        ["sh", "-c", f"{bounded}\nbounded"], input=json.dumps(images, indent=4) + "\n",
        text=True, capture_output=True, check=True,
    )  # fmt: skip
    assert json.loads(ran.stdout) == left
