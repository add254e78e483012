"""The README's commands, as they stand there, do what it says."""

import re
import subprocess
from pathlib import Path

import pytest

from runnerkit.place import ROOT
from sandbox.world import Host
from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
COMMANDS = [line.strip() for block in BLOCKS for line in block.splitlines() if line.strip()]
INLINE = re.findall(r"`(\./inv [^`]+)`", README)
PAGE = re.findall(
    r"```sh\n(.*?)```", README.split("## A project's own image")[1].split("\n## ")[0], re.DOTALL
)
PAGE = [line for block in PAGE for line in block.splitlines()]
KEY = [line.strip() for line in COMMANDS if "sudo " in line]
RUN_HERE = {
    *KEY,
    "./inv demo",
    "./inv init",
    "./inv --list",
    "./inv --help bootstrap",
    "./inv plan --host all",
    "./inv bootstrap --host all",
    "./inv bootstrap --host ci@server.example.com --url https://gitlab.example.com --image debian:bookworm",
}
RUN_ELSEWHERE = {
    "./inv sandbox.down": "test_sandbox.py takes a sandbox down",
    "./inv test": "this is it",
    "./inv golden.bake": "tests/vm bakes",
    "./inv golden.bake --source amazon-ebs --variables aws.pkrvars.hcl": "test_bake_elsewhere.py, but for the account",
    "./inv golden.test": "tests/vm boots clones",
    "./inv golden.validate": "test_packer.py",
    "./inv bootstrap --host manager": "test_autoscaler.py",
    "cp templates/runnerkit.aws.toml runnerkit.toml    # or gcp, azure, static": "tests/unit/test_autoscaler.py loads each",
    **dict.fromkeys(PAGE, "test_readme_images.py runs the page"),
    "./inv test --only unit": "the same task",
    "read -rs RUNNER_TOKEN && export RUNNER_TOKEN    # paste it, then Enter": "every test of this folder gives tokens so",
}


def test_every_command_of_the_readme_is_run_by_a_test() -> None:
    assert {*COMMANDS, *INLINE} <= RUN_HERE | set(RUN_ELSEWHERE)


def as_reachable(kit: Kit, host: Host) -> None:
    """A home whose ssh knows the README's host, and a host that has its images without Docker Hub."""
    ssh = kit.folder / "home/.ssh"
    ssh.mkdir(parents=True)
    (ssh / "config").write_text(
        f"Host server.example.com\n  HostName {host.address}\n  IdentityFile {host.key}\n"
    )
    (ssh / "known_hosts").write_text((kit.world.state / "known_hosts").read_text())
    kit.env |= {"HOME": str(kit.folder / "home"), "RUNNERKIT_SETTINGS": ""}
    prepared(kit, host)


def prepared(kit: Kit, host: Host) -> None:
    """A host with Docker and a mirror, the images of the default settings, and a user ci."""
    runner, version = kit.world.runner_image, kit.world.runner_image.rpartition(":")[2]
    helper = runner.replace("gitlab-runner:", "gitlab-runner-helper:x86_64-")
    name = "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:x86_64"
    kit.ssh(host, f"""set -e
        echo '{{"registry-mirrors": ["{kit.world.mirror_url}"]}}' > /etc/docker/daemon.json
        systemctl reload docker
        docker pull -q {runner}
        docker pull -q {helper}
        docker tag {runner} gitlab/gitlab-runner:v19.3.0
        docker tag {helper} {name}-v19.3.0
        docker tag {helper} {name}-{version}
        useradd -m ci && echo 'ci ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/ci""")  # fmt: skip


def test_the_command_for_a_real_server(kit: Kit, blank: Blank) -> None:
    host = blank("docker", "server")
    as_reachable(kit, host)
    command = next(line for line in COMMANDS if line.startswith("./inv bootstrap"))
    words = command.replace("https://gitlab.example.com", kit.world.gitlab_url).split()[1:]
    kit.new_token("readme")
    ran = kit.run(*words)
    assert ran.code == 0, ran.err
    row = ran.out.splitlines()[1].split()
    assert row[:4] == ["ci@server.example.com", "changed", row[2], "server"]
    assert kit.run("plan", *words[1:]).code == 0
    kit.env["RUNNER_TOKEN"] = ""
    assert kit.run("plan", *words[1:]).code == 0, "a registered host needs no token"
    for command in KEY:
        kit.ssh(host, command)
    assert kit.ssh(host, "stat -c %a /srv/gitlab-runner/config/machines.key") == "600\n"


def test_the_settings_file_from_init_to_all_hosts(kit: Kit, blank: Blank) -> None:
    kit.env["RUNNERKIT_SETTINGS"] = ""
    assert kit.run("init").code == 0
    kit.settings(blank("docker", "fromfile"))
    kit.new_token("file")
    assert kit.run("plan", "--host", "all").code == 2
    assert kit.run("bootstrap", "--host", "all").code == 0
    assert kit.run("plan", "--host", "all").code == 0


@pytest.mark.parametrize("words", [["--list"], ["--help", "bootstrap"]])
def test_help_is_there(words: list[str]) -> None:
    ran = subprocess.run([ROOT / "inv", *words], capture_output=True, text=True, check=True)
    assert "bootstrap" in ran.stdout


def test_the_demo_works_and_works_again(kit: Kit) -> None:
    for _ in range(2):
        ran = kit.run("demo", timeout=600)
        assert ran.code == 0, ran.out + ran.err
        assert "Job succeeded" in ran.out
        assert "Hello from the job image" in ran.out
        assert "glrt-" not in ran.out + ran.err
    settings = str(kit.world.state / "runnerkit.toml")
    kit.env["RUNNERKIT_SETTINGS"] = settings
    assert kit.run("plan", "--host", "demo").code == 0
    assert Path(settings).exists()
    kit.world.remove("demo")
