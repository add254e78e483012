"""The page on a project's own image, command by command, in a copy of the kit."""

import re
import shutil
import subprocess
import time
from pathlib import Path

import tomlkit

from runnerkit.place import ROOT
from sandbox.world import BlankHost
from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit, Ran
from tests.hosts.test_pages import prepared
from tests.pages import commands

PAGE = (ROOT / "docs/en/job-images.md").read_text()
NAMES = ("ci1", "ci2", "ci3")


def copy(kit: Kit, hosts: list[BlankHost]) -> Path:
    """The kit as a team has it, with the page's settings, and an ssh that knows the page's hosts."""
    skip = shutil.ignore_patterns(".venv", ".git", ".sandbox*", ".*_cache", "__pycache__")
    folder = Path(shutil.copytree(ROOT, kit.folder / "kit", ignore=skip))
    (folder / ".venv").symlink_to(ROOT / ".venv")
    settings, more, prune = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert "[images.web]" in more
    assert "[prune]" in prune
    url = settings.replace("https://gitlab.example.com", kit.world.gitlab_url)
    one_job_a_host = "[manager]\nconcurrent = 1\n"  # so that jobs at the same time are on all hosts
    helper = tomlkit.dumps({"runners": {"web": {"docker": kit.world.own_helper}}})
    text = f"{url}\n{one_job_a_host}\n{more}\n{prune}\n{helper if kit.world.own_helper else ''}"
    (folder / "runnerkit.toml").write_text(text)
    ssh = kit.folder / "home/.ssh"
    ssh.mkdir(parents=True)
    lines = [
        f"Host {host.name}.example.com\n  HostName {host.address}\n  IdentityFile {host.key}\n"
        for host in hosts
    ]
    (ssh / "config").write_text("".join(lines))
    (ssh / "known_hosts").write_text((kit.world.state / "known_hosts").read_text())
    kit.env |= {"HOME": str(kit.folder / "home"), "RUNNERKIT_SETTINGS": "", "NPM_TOKEN": "n"}
    return folder


def test_a_project_gets_from_nothing_to_a_job_in_its_own_image_on_three_hosts(
    kit: Kit, blank: Blank
) -> None:
    hosts = [blank("docker", name) for name in NAMES]
    for host in hosts:
        prepared(kit, host)
    folder = copy(kit, hosts)
    kit.new_token("page", tag_list="web")

    def run(command: str) -> Ran:
        _, env = kit.command()
        env.pop("RUNNERKIT_SETTINGS")
        ran = subprocess.run(
            ["sh", "-ec", command], cwd=folder, env=env, stdin=subprocess.DEVNULL, text=True,
            capture_output=True, check=False, timeout=300,
        )  # fmt: skip
        assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    name = "test_a_project_gets_from_nothing_to_a_job_in_its_own_image_on_three_hosts"
    *setup, ship, listed, prune = commands(f"tests/hosts/test_pages_images.py::{name}")
    for command in (*setup, ship):
        run(command)
    before = one_id(run(listed))
    assert _jobs(kit, hosts, "git --version && echo said: built") == {"built"}

    with (folder / "dockerfiles/web/Dockerfile").open("a") as file:
        file.write("\nRUN echo rebuilt >/rebuilt\n")
    run(ship)
    assert one_id(run(listed)) != before
    assert _jobs(kit, hosts, "echo said: $(cat /rebuilt)") == {"rebuilt"}
    assert "0" in run(prune).out
    assert run("./inv plan --host all").out.count("nothing to change") == 3


def one_id(ran: Ran) -> str:
    """The id that all hosts have of the image, which is current everywhere."""
    rows = [line.split() for line in ran.out.splitlines() if line.startswith("web ")]
    assert [(row[1], row[2]) for row in rows] == [(name, "current") for name in NAMES]
    (number,) = {row[3] for row in rows}
    return number


def _jobs(kit: Kit, hosts: list[BlankHost], script: str) -> set[str]:
    """What a job says that runs on each of the hosts at the same time."""
    held = [script, "until [ -e /go ]; do sleep 0.1; done"]
    jobs = [kit.gitlab.queue(held, tags=["web"]) for _ in hosts]
    while (states := {kit.gitlab.job(job)["state"] for job in jobs}) != {"running"}:
        assert states <= {"pending", "running"}, kit.gitlab.job(jobs[0])["trace"]
        time.sleep(0.1)
    assert len({kit.gitlab.job(job)["system_id"] for job in jobs}) == len(hosts)
    for host in hosts:
        kit.ssh(host, """until docker exec "$(docker ps -q --filter label=com.gitlab.gitlab-runner.type=build)" \\
            touch /go 2>/dev/null; do sleep 0.1; done""")  # fmt: skip
    ended = [kit.gitlab.wait(job) for job in jobs]
    assert {job["state"] for job in ended} == {"success"}, ended[0]["trace"]
    return {
        match[1]
        for job in ended
        if (match := re.search(r"^said: (\S+)", job["trace"], re.MULTILINE))
    }
