"""The snippet for a project's own .gitlab-ci.yml, run as a runner would run it."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import tomlkit

from runnerkit.place import ROOT
from sandbox.world import BlankHost
from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit

TEXT = (ROOT / "templates/gitlab-ci.yml").read_text()
UNSAFE = re.compile(r"""^[-?:,\[\]{}#&*!|>'"%@`]|: | #|:$""")  # at these a plain scalar is none


def plain(word: str) -> str:
    """A YAML plain scalar, which says of itself what it means."""
    assert not UNSAFE.search(word), word
    return word


def job() -> dict[str, Any]:
    """The only job, from the little of YAML that the snippet uses; anything else fails."""
    name, *lines = [line for line in TEXT.splitlines() if not line.lstrip().startswith("#")]
    assert name == "rebuild-job-image:"
    found: dict[str, Any] = {}
    for line in lines:
        if scalar := re.fullmatch(r"  (\w+): (.+)", line):
            found[scalar[1]] = plain(scalar[2])
        elif key := re.fullmatch(r"  (\w+):", line):
            last = key[1]
        elif rule := re.fullmatch(r"    - if: (.+)", line):
            found.setdefault(last, []).append({"if": plain(rule[1])})
        elif item := re.fullmatch(r"    - (.+)", line):
            found.setdefault(last, []).append(plain(item[1]))
        else:
            pair = re.fullmatch(r"    (\w+): (.+)", line)
            assert pair, line
            found.setdefault(last, {})[pair[1]] = plain(pair[2])
    return found


def test_the_job_is_for_schedules_only() -> None:
    assert job()["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "schedule"'}]


def test_the_snippet_explains_every_variable_that_it_takes_from_gitlab() -> None:
    explained = set(re.findall(r"(?m)^#   (RUNNERKIT_\w+) +(?:file|variable) ", TEXT))
    used = set(re.findall(r"\$\{?(RUNNERKIT_\w+)", TEXT)) | {"RUNNERKIT_SETTINGS"}
    assert explained == used


def project(folder: Path) -> Path:
    """A project as a runner checks it out: writable by all."""
    docker = folder / "project/docker"
    docker.mkdir(parents=True)
    (docker / "Dockerfile").write_text("FROM debian:bookworm\nCOPY hello /hello\n")
    (docker / "hello").write_text("from the project\n")
    for path in (docker, *docker.iterdir()):
        path.chmod(0o777 if path.is_dir() else 0o666)
    return folder / "project"


def variables(kit: Kit, host: BlankHost) -> dict[str, str]:
    """What the project's settings at GitLab hold: files are written beside the checkout, for all."""
    del kit.data["ssh"], kit.data["hosts"][host.name]["identity"]
    settings, key, known = (kit.folder / name for name in ("settings", "key", "known"))
    settings.write_text(tomlkit.dumps(kit.data))
    key.write_text(host.key.read_text())
    known.write_text((kit.world.state / "known_hosts").read_text())
    for path in (settings, key, known):
        path.chmod(0o666)
    head = ("git", "-C", str(ROOT), "rev-parse", "HEAD")
    revision = subprocess.run(head, text=True, capture_output=True, check=True).stdout.strip()
    return {
        "RUNNERKIT_REPOSITORY": str(ROOT),
        "RUNNERKIT_REVISION": revision,
        "RUNNERKIT_SETTINGS": str(settings),
        "RUNNERKIT_SSH_KEY": str(key),
        "RUNNERKIT_KNOWN_HOSTS": str(known),
    }


def test_a_scheduled_job_rebuilds_the_image_of_its_project(kit: Kit, blank: Blank) -> None:
    host = blank("docker", "ci1")
    kit.mirrored(host)
    kit.settings(host)
    (kit.folder / "home").mkdir()
    (kit.folder / "tmp").mkdir()
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("RUNNERKIT_")},
        **variables(kit, host),
        **job()["variables"],
        "IMAGE_NAME": "demo",  # the kit has a folder of that name, which must give way
        "HOME": str(kit.folder / "home"),
        "TMPDIR": str(kit.folder / "tmp"),
    }
    script = "\n".join(job()["before_script"] + job()["script"])
    ran = subprocess.run(
        ["sh", "-e"], input=script, cwd=project(kit.folder), env=env, text=True,
        capture_output=True, check=False, timeout=600,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (kit.folder / "home/.ssh/runnerkit").stat().st_mode & 0o777 == 0o600  # or ssh refuses it
    assert kit.ssh(host, "docker run --rm demo cat /hello") == "from the project\n"
    assert kit.ssh(host, "docker run --rm demo stat -c %a /hello") == "644\n"
