"""The commands of README and docs/, as they stand there, do what the pages say."""

import shlex
import subprocess
from pathlib import Path
from typing import Any

from runnerkit.place import ROOT
from sandbox.world import BlankHost
from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit
from tests.pages import commands

HERE = "tests/hosts/test_pages.py"


def as_reachable(kit: Kit, host: BlankHost) -> None:
    """A home whose ssh knows the pages' host, and a host that has its images without Docker Hub."""
    ssh = kit.folder / "home/.ssh"
    ssh.mkdir(parents=True)
    (ssh / "config").write_text(
        f"Host server.example.com\n  HostName {host.address}\n  IdentityFile {host.key}\n"
    )
    (ssh / "known_hosts").write_text((kit.world.state / "known_hosts").read_text())
    kit.env |= {"HOME": str(kit.folder / "home"), "RUNNERKIT_SETTINGS": ""}
    prepared(kit, host)


def prepared(kit: Kit, host: BlankHost, **daemon: Any) -> None:
    """A host with Docker and a mirror, the images of the default settings, and a user ci."""
    runner, version = kit.world.runner_image, kit.world.runner_image.rpartition(":")[2]
    helper = runner.replace("gitlab-runner:", "gitlab-runner-helper:x86_64-")
    name = "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:x86_64"
    kit.mirrored(host, **daemon)
    kit.ssh(host, f"""set -e
        docker pull -q {runner}
        docker pull -q {helper}
        docker tag {runner} gitlab/gitlab-runner:v19.3.0
        docker tag {helper} {name}-v19.3.0
        docker tag {helper} {name}-{version}
        useradd -m ci && echo 'ci ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/ci""")  # fmt: skip


def test_the_commands_for_a_real_server(kit: Kit, blank: Blank) -> None:
    lines = commands(f"{HERE}::test_the_commands_for_a_real_server")
    paste, bootstrap, *key = lines
    host = blank("docker", "server")
    as_reachable(kit, host)
    command = bootstrap.replace("https://gitlab.example.com", kit.world.gitlab_url)
    token = kit.new_token("pages")
    _, env = kit.command()
    env.pop("RUNNER_TOKEN")
    ran = subprocess.run(
        ["bash", "-c", f"{paste}\n{command.replace('./inv', str(ROOT / 'inv'))}"],
        input=f"{token}\n", env=env, cwd=kit.folder, text=True, capture_output=True, check=False, timeout=300,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    row = ran.stdout.splitlines()[1].split()
    assert row[:4] == ["ci@server.example.com", "changed", row[2], "server"]
    kit.env["RUNNER_TOKEN"] = ""
    words = command.split()[2:]
    assert kit.run("plan", *words).code == 0, "a registered host needs no token"
    for line in key:
        kit.ssh(host, line)
    assert kit.ssh(host, "stat -c %a /srv/gitlab-runner/config/machines.key") == "600\n"


def test_the_settings_file_from_init_to_all_hosts(kit: Kit, blank: Blank) -> None:
    lines = commands(f"{HERE}::test_the_settings_file_from_init_to_all_hosts")
    init, plan, bootstrap = dict.fromkeys(
        tuple(shlex.split(line, comments=True)[1:]) for line in lines
    )
    kit.env["RUNNERKIT_SETTINGS"] = ""
    assert kit.run(*init).code == 0
    kit.settings(blank("docker", "fromfile"))
    kit.new_token("file")
    assert kit.run(*plan).code == 2
    assert kit.run(*bootstrap).code == 0
    assert kit.run(*plan).code == 0


def test_help_is_there() -> None:
    for line in commands(f"{HERE}::test_help_is_there"):
        ran = subprocess.run(line.split(), cwd=ROOT, capture_output=True, text=True, check=True)
        assert "bootstrap" in ran.stdout


def test_the_demo_works_and_works_again(kit: Kit) -> None:
    demo, plan = commands(f"{HERE}::test_the_demo_works_and_works_again")
    for _ in range(2):
        ran = kit.run(*demo.split()[1:], timeout=600)
        assert ran.code == 0, ran.out + ran.err
        assert "Job succeeded" in ran.out
        assert "Hello from the job image" in ran.out
        assert "glrt-" not in ran.out + ran.err
        assert "\x1b" not in ran.out
    settings, *words = plan.split()
    variable, _, file = settings.partition("=")
    kit.env[variable] = str(kit.world.state / Path(file).name)
    assert kit.run(*words[1:]).code == 0
    kit.world.remove("demo")
