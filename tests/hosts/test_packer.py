"""The Packer template, read by Packer itself; no machine is started."""

import subprocess
from pathlib import Path

import pytest

from runnerkit.errors import KitError
from runnerkit.golden import packer, tools


def test_the_template_is_formatted_and_valid() -> None:
    packer.check()


def test_a_name_that_google_does_not_allow_is_refused() -> None:
    with pytest.raises(KitError, match="lower-case letters"):
        packer.check(image_name="runner-host-1.0")


def test_a_variable_that_the_template_does_not_know_is_refused() -> None:
    with pytest.raises(KitError, match="no_such_thing"):
        packer.check(no_such_thing="1")


def test_one_build_has_three_sources() -> None:
    tools.need(tools.QEMU | tools.PACKER, print)
    output = subprocess.run(
        ["packer", "inspect", str(packer.TEMPLATE)], text=True, capture_output=True, check=True
    ).stdout
    for source in ("qemu.golden", "amazon-ebs.golden", "googlecompute.golden"):
        assert source in output


def test_a_bake_needs_no_cloud(tmp_path: Path) -> None:
    """A newer Packer refuses a source whose plugin it has not got, whichever is asked for."""
    packer.check(folder=(alone := packer.alone("qemu", tmp_path / "template")))
    output = subprocess.run(
        ["packer", "inspect", str(alone)], text=True, capture_output=True, check=True
    )
    assert "qemu.golden" in output.stdout
    assert "amazon" not in output.stdout.partition("builds:")[2]
    assert "google" not in output.stdout.partition("builds:")[2]


def test_every_input_is_described() -> None:
    text = (packer.TEMPLATE / "variables.pkr.hcl").read_text()
    blocks = text.split('\nvariable "')[1:]
    assert len(blocks) > 20
    assert [block.split('"')[0] for block in blocks if "description = " not in block] == []


def test_no_file_asks_for_plugins_where_old_packers_see_it() -> None:
    assert "required_plugins" in (packer.TEMPLATE / "plugins.pkr.hcl.in").read_text()
    read = "".join(file.read_text() for file in packer.TEMPLATE.glob("*.pkr.hcl"))
    assert "required_plugins" not in read
