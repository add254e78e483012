"""What a cloud's source does, on a host that is there already: Packer's own builder of that kind, null.

From Packer's first word to the host powering itself off it is what ./inv golden.bake does in a cloud.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomlkit

from runnerkit.golden import bake, builddir, packer
from runnerkit.golden.provision import HOST_KEY, KEY, USER
from runnerkit.report.progress import line
from runnerkit.settings.load import load
from sandbox.world import BlankHost, World
from tests.hosts.golden import Golden
from tests.hosts.kit import Kit

SOURCE = """source "null" "golden" {{
  communicator         = "ssh"
  ssh_host             = "{address}"
  ssh_username         = var.ssh_username
  ssh_private_key_file = var.ssh_private_key_file
}}
"""


@pytest.fixture
def machine(world: World, kit: Kit) -> Iterator[Golden]:
    host = world.host("elsewhere", "docker")
    known_to_dpkg = ["git"]  # though not installed: Docker's package recommends it
    kit.settings(host, golden={"packages": known_to_dpkg})
    del kit.data["hosts"], kit.data["ssh"]
    (kit.folder / "runnerkit.toml").write_text(tomlkit.dumps(kit.data))
    kit.new_token("elsewhere")
    yield Golden(kit, host)
    world.remove("elsewhere")


def template(folder: Path, host: BlankHost) -> Path:
    """The kit's own, in which the cloud's source is a host."""
    folder.mkdir()
    for name in ("variables", "build"):
        text = (packer.TEMPLATE / f"{name}.pkr.hcl").read_text()
        (folder / f"{name}.pkr.hcl").write_text(text.replace("amazon-ebs", "null"))
    (folder / "null.pkr.hcl").write_text(SOURCE.format(address=host.address))
    return folder


@pytest.mark.long
def test_a_host_is_set_up_sealed_and_powered_off_as_in_a_cloud(
    machine: Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packer, "TEMPLATE", template(tmp_path / "template", machine.host))
    monkeypatch.setattr(packer, "SOURCES", ("null",))
    lets_in = builddir.new_key

    def new_key(path: Path) -> str:
        """As the machine gets it from its user data."""
        public = lets_in(path)
        if path.name == KEY:
            machine.run(
                f"useradd -m {USER}; echo '{USER} ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/90-cloud"
            )
            machine.write(f"/home/{USER}/.ssh/authorized_keys", public, "600")
            machine.run(f"chown -R {USER}: /home/{USER}")
        if path.name == HOST_KEY:
            machine.write("/etc/ssh/ssh_host_ed25519_key", path.read_text().strip(), "600")
            machine.write("/etc/ssh/ssh_host_ed25519_key.pub", public, "644")
            machine.run("systemctl restart ssh")
        return public

    monkeypatch.setattr(builddir, "new_key", new_key)
    lines: list[str] = []
    read = load(machine.kit.folder / "runnerkit.toml")
    built = bake.bake(read, lambda _, event: lines.append(line(event)), tmp_path / "golden", "null")

    machine.container.wait(timeout=90)
    manifest = json.loads(built.read_text())
    assert manifest["builder"] == "null"
    assert "tester:latest" in manifest["images"]
    for name in ("provenance.json", "packages.tsv", "images.jsonl", "timings.json"):
        assert (built.parent / name).exists()
    assert sorted(path.name for path in (tmp_path / "golden").iterdir()) == [
        "lock",
        "packer.log",
        manifest["name"],
    ]
    assert "git\t" in (built.parent / "packages.tsv").read_text()
    assert any("seal" in line for line in lines)

    machine.on()
    assert (
        machine.run(f"id {USER}; ls /home /etc/sudoers.d; :").count(USER) == 1
    )  # id: no such user
    assert machine.run("systemctl is-enabled runnerkit-first-boot.service").strip() == "enabled"
