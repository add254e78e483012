"""A bake that cannot be: what was typed is seen first, and why Packer failed is told in its words."""

from pathlib import Path

import pytest
from invoke.context import Context

import tasks
from runnerkit.errors import KitError
from runnerkit.golden import bake, console, failure, tools

SAID = {
    "the machine could not be set up": (
        ["golden  failed  3", "error: golden: no space on /", "fix: make room", "Build errored"],
        "no space on /",
        "make room",
    ),
    "SSH does not come": (
        ["Waiting for SSH to become available...", "Timeout waiting for SSH."],
        "Timeout waiting for SSH",
        "console.log",
    ),
    "a cloud without an account": (
        [
            "Build 'runner-host.amazon-ebs.golden' errored after 8 milliseconds: no valid sources found.",
            "Please see https://example.com",
            "==> Wait completed after 9 milliseconds",
            "==> Some builds didn't complete successfully and had errors:",
            "--> runner-host.amazon-ebs.golden: no valid sources found.",
        ],
        "ended with 1: no valid sources found. Please see https://example.com\n",
        "packer.log",
    ),
    "a file of variables that is no HCL": (
        ["Error: Variables not allowed", "on aws.pkrvars.hcl line 1:", "1: aws_region = eu"],
        "Variables not allowed on aws.pkrvars.hcl line 1: 1: aws_region = eu\n",
        "packer.log",
    ),
    "nothing": ([], "no word of why", "packer.log"),
}


@pytest.mark.parametrize("case", SAID)
def test_a_failed_build_says_why(case: str) -> None:
    output, what, fix = SAID[case]
    error = failure.of(output, 1, "[ OK ] Started ssh")
    assert what in error.what
    assert fix in error.fix
    assert ("Started ssh" in error.what) == ("error:" not in " ".join(output))


def test_no_console_is_named_where_there_is_none() -> None:
    error = failure.of(["Error: no"], 1, "")
    assert "console" not in error.what + error.fix


def test_the_console_is_told_without_colours(tmp_path: Path) -> None:
    (tmp_path / "console").write_bytes(b"\x1b[0;32m  OK  \x1b[0m up\r\n\n\x1b[2J one\x00\r\n two\n")
    assert console.tail(tmp_path / "console", 2).split() == ["one", "two"]


@pytest.mark.parametrize(
    ("source", "name", "text", "what"),
    [
        ("amazon-esb", "", "", r"no source 'amazon-esb' \(did you mean 'amazon-ebs'\?\)"),
        ("qemu", "none.pkrvars.hcl", "", r"no file .*none\.pkrvars\.hcl"),
        (
            "amazon-ebs",
            "a.pkrvars.hcl",
            '# mine\naws_regoin = "x"\n',
            r"a\.pkrvars\.hcl: no variable aws_regoin \(did you mean 'aws_region'\?\)",
        ),
        ("qemu", "a.json", '{"gce_zon": "x"}', r"no variable gce_zon .*gce_zone"),
        ("qemu", "a.json", "{", r"a\.json is not valid JSON"),
    ],
)
def test_what_was_typed_is_refused_before_anything_is_done(
    tmp_path: Path, source: str, name: str, text: str, what: str
) -> None:
    file = tmp_path / name if name else None
    if file and text:
        file.write_text(text)
    with pytest.raises(KitError, match=what):
        tasks.golden_bake(Context(), source=source, variables=str(file or ""))


def test_variables_that_the_template_has_are_taken(tmp_path: Path) -> None:
    (file := tmp_path / "a.pkrvars.hcl").write_text('aws_region = "eu-west-1"\ngce_zone="z"\n')
    assert bake.variables_file("amazon-ebs", str(file)) == file
    assert bake.variables_file("qemu", "") is None


def test_an_image_that_is_none_is_refused_before_the_sandbox_is_put_up(tmp_path: Path) -> None:
    with pytest.raises(KitError, match=r"no image .*none\.qcow2"):
        tasks.golden_test(Context(), image=str(tmp_path / "none.qcow2"))
    with pytest.raises(KitError, match="no image in"):
        bake.image("", print, tmp_path)


def test_an_interrupted_bake_ends_as_an_interrupted_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(bake, "bake", interrupted)
    (file := tmp_path / "runnerkit.toml").write_text("")
    monkeypatch.setenv("RUNNERKIT_SETTINGS", str(file))
    with pytest.raises(KitError, match="interrupted") as caught:
        tasks.golden_bake(Context())
    assert caught.value.code == 130


def test_a_program_that_ends_before_it_has_read_all_is_told_by_its_exit_code() -> None:
    with pytest.raises(KitError, match="make it: false ended with 1"):
        tools.run(["false"], "make it", "run again", stdin="x" * (1 << 20))
