"""The Packer template, read by Packer itself; no machine is started."""

import subprocess
from pathlib import Path

import pytest

from runnerkit.errors import KitError
from runnerkit.golden import builddir, packer, tools


@pytest.fixture(scope="module", autouse=True)
def programs() -> None:
    tools.need(tools.QEMU | tools.PACKER, print)


def variables(folder: Path, **more: str | int) -> dict[str, str | int]:
    """Those that have no default which Packer takes for real."""
    files = {name: folder / name for name in ("base_image", "user_data_file")}
    for file in files.values():
        file.touch()
    builddir._key(key := folder / "key")
    said: dict[str, str | int] = {name: str(file) for name, file in files.items()}
    return {**said, "ssh_private_key_file": str(key), "base_checksum": "sha256:" + 64 * "0", **more}


def test_the_template_is_formatted_and_valid(tmp_path: Path) -> None:
    packer.check(variables(tmp_path))


def test_a_name_that_google_does_not_allow_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KitError, match="lower-case letters"):
        packer.check(variables(tmp_path, image_name="runner-host-1.0"))


def test_a_variable_that_the_template_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KitError, match="validate the Packer template"):
        packer.check(variables(tmp_path, no_such_thing="1"))


def test_what_is_built_from_one_name_is_one_machine() -> None:
    told = subprocess.run(
        ["packer", "inspect", str(packer.TEMPLATE)], text=True, capture_output=True, check=True
    ).stdout
    for source in ("qemu.golden", "amazon-ebs.golden", "googlecompute.golden"):
        assert source in told


def test_every_input_is_described() -> None:
    text = (packer.TEMPLATE / "variables.pkr.hcl").read_text()
    blocks = text.split('\nvariable "')[1:]
    assert len(blocks) > 20
    assert [block.split('"')[0] for block in blocks if "description = " not in block] == []


def test_no_file_asks_for_plugins_where_old_packers_see_it() -> None:
    assert "required_plugins" in (packer.TEMPLATE / "plugins.pkr.hcl.in").read_text()
    read = "".join(file.read_text() for file in packer.TEMPLATE.glob("*.pkr.hcl"))
    assert "required_plugins" not in read
