"""A sealed machine holds nothing that its clones must not share, and comes up again by itself."""

from collections.abc import Iterator

import pytest

from runnerkit.steps import first_boot
from sandbox.world import World
from tests.hosts.golden import Golden
from tests.hosts.kit import CONFIG, Kit

TOKEN = "glrt-sealed00000000000000"
# What a bake leaves behind, and its build user.
USED = f"""
useradd --create-home packer
install -d -m 700 /home/packer/.ssh /root/.ssh
touch /home/packer/.ssh/authorized_keys /root/.ssh/authorized_keys
echo 'packer ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/90-cloud-init-users
echo 'export RUNNER_TOKEN={TOKEN}' | tee /root/.bash_history /home/packer/.bash_history >/dev/null
echo '{TOKEN}' | tee /tmp/script_1.sh /var/tmp/x /var/log/apt/term.log /var/log/old.1 >/dev/null
mkdir -p /srv/gitlab-runner/config/certs /var/lib/cloud/seed
echo r_aaaaaaaaaaaa >/srv/gitlab-runner/config/.runner_system_id
touch /srv/gitlab-runner/config/certs/ca.crt
echo x >/etc/docker/key.json; echo x >/var/lib/systemd/random-seed; echo x >/var/lib/apt/lists/y
cp /etc/machine-id /var/lib/dbus/machine-id
"""
GONE = (
    "/root/.ssh/authorized_keys", "/home/packer", "/root/.bash_history", "/tmp/script_1.sh",
    "/var/tmp/x", "/var/log/old.1", "/srv/gitlab-runner/config/.runner_system_id",
    "/var/lib/systemd/random-seed", "/var/lib/apt/lists/y",
    "/etc/sudoers.d/90-cloud-init-users",
)  # fmt: skip


@pytest.fixture
def machine(world: World, kit: Kit) -> Iterator[Golden]:
    host = world.host("sealed", "docker")
    kit.settings(host)
    result = Golden(kit, host)
    result.bake((first_boot,))
    yield result
    world.remove("sealed")


def seal(machine: Golden) -> str:
    script = first_boot.seal(machine.want, "packer")
    return machine.kit.ssh(machine.host, f"(\n{script}\n) 2>&1 || :", check=False)


def identity(machine: Golden) -> set[str]:
    keys = machine.run("cat /etc/ssh/ssh_host_*_key.pub | cut -d' ' -f2").split()
    return {machine.run("cat /etc/machine-id").strip(), *keys}


def test_what_clones_must_not_share_is_gone_and_comes_anew(machine: Golden) -> None:
    machine.run(USED)
    before = identity(machine)
    output = seal(machine)
    assert output == f"sealed; sh {first_boot.POWER_OFF} powers off\n"
    machine.run(f"sh {first_boot.POWER_OFF} >/dev/null 2>&1 &")
    machine.container.wait(timeout=60)

    machine.on()
    assert not identity(machine) & before
    assert machine.run("systemctl is-active ssh").strip() == "active"
    assert machine.run("id packer; :").startswith("id: ")
    there = f"for path in {' '.join(GONE)}; do [ ! -e $path ] || echo $path; done"
    assert machine.run(there) == ""
    assert machine.holding(TOKEN) == []
    assert machine.run("grep -x x /etc/docker/key.json; :") == ""  # Docker made a new one
    assert machine.run("ls /srv/gitlab-runner/config/certs") == "ca.crt\n"
    machine.until_said("no secret yet")


def test_a_sealed_machine_can_be_sealed_again(machine: Golden) -> None:
    assert seal(machine).startswith("sealed")
    script = first_boot.seal(machine.want, "")
    assert machine.run(f"cat >/run/seal <<'SEAL'\n{script}\nSEAL\nsh /run/seal").startswith(
        "sealed"
    )
    assert machine.run("wc -c </etc/machine-id; ls /etc/ssh/ssh_host_* 2>/dev/null; :") == "0\n"


MISTAKES = {
    f"mkdir -p /srv/gitlab-runner/config; echo '[[runners]]' >{CONFIG}": (
        "a runner is registered", f"rm {CONFIG}",
    ),
    f"mkdir -p /etc/runnerkit; echo {TOKEN} >/etc/runnerkit/token": (
        "a secret must not be in an image", "rm /etc/runnerkit/token",
    ),
    "tar c /etc/hostname | docker import - any; docker create --name gitlab-runner any true": (
        "containers are left: gitlab-runner", "docker rm gitlab-runner",
    ),
}  # fmt: skip


def test_a_machine_with_an_identity_is_refused(machine: Golden) -> None:
    before = identity(machine)
    for mistake, (words, undo) in MISTAKES.items():
        machine.run(mistake)
        assert words in seal(machine)
        assert identity(machine) == before  # nothing was touched
        machine.run(undo)
    machine.write("/opt/left", TOKEN)
    assert seal(machine) == "left in the image: /opt/left\n"
