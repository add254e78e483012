"""Managers brought back to the image before, and what is cut off on the way there or back."""

import json
import os
import tomllib

import docker
import pytest

from sandbox.manager import ARCHITECTURE, NAME
from sandbox.services import mirror
from sandbox.world import BlankHost, World
from tests.hosts.conftest import Blank
from tests.hosts.engines import engine
from tests.hosts.engines import host as blank_of
from tests.hosts.kit import CONFIG, Kit
from tests.hosts.test_drain import long_job
from tests.hosts.test_killed import SESSIONS, Running, in_host
from tests.hosts.versions import END, NEW, OLD, ready, runs, standings, upgrade, version
from tests.pages import commands

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("counted")]
PAGE = "tests/hosts/test_rollback.py::test_the_commands_of_the_page"
REAL = [os.environ.get(f"RUNNERKIT_REAL_{name}", "") for name in ("OLD", "NEW")]


def test_the_commands_of_the_page(kit: Kit, blank: Blank, world: World) -> None:
    """A rollback is to the image before, also where its tag went, and is done once."""
    host = blank("docker", "ci1")
    version(world, "v19.3.1")
    ready(kit, host)
    dry, forth, back = (line.split()[1:] for line in commands(PAGE))
    ran = kit.run(*back, "--json")
    assert ran.code == 1
    assert "no previous image is known here" in ran.hosts["ci1"]["error"]
    assert kit.run(*dry).code == 2
    runs(kit, host, OLD)
    assert kit.run(*forth).code == 0
    runs(kit, host, NEW)
    assert kit.plan().titles == []
    kit.ssh(host, f"docker rmi {OLD} >/dev/null; docker image prune -f >/dev/null")
    for state in ("rolled back", "ok"):
        ran = kit.run(*back, "--json")
        assert standings(ran) == {"ci1": state}, ran.out + ran.err
    assert kit.ssh(host, "docker exec gitlab-runner gitlab-runner --version").split()[1] == "19.3.0"
    assert kit.job("echo again")["state"] == "success"


@pytest.mark.parametrize("verb", ["upgrade", "rollback"])
def test_killed_at_each_change_and_each_state_the_next_run_ends_it(
    kit: Kit, blank: Blank, world: World, verb: str
) -> None:
    host = blank("docker", "up4")
    version(world, "v19.3.1")
    ready(kit, host)
    killed_at_each(kit, host, verb, OLD, NEW)


def killed_at_each(kit: Kit, host: BlankHost, verb: str, old: str, new: str) -> None:
    """An upgrade from the one image to the other, or the way back from it, killed and gone on with."""
    words, image, name = ["--to", new.rpartition(":")[2]], new, "gitlab-runner"
    if verb == "rollback":
        upgrade(kit, *words)
        words, image = [], old
    command = (f"runner.{verb}", "--host", "all", *words)
    states = (
        f"docker inspect {name}.next",
        f"docker inspect {name}.before",
        f"docker inspect {name}.before && docker inspect {name} | grep -q '\"Running\": true'",
        'test -n "$(find /var/lib/runnerkit -name previous.json -newer /run/begin)"',
    )
    for state in states:
        kit.ssh(host, "touch /run/begin")
        running = Running(kit, *command)
        running.until("the container gitlab-runner")
        in_host(
            kit,
            host,
            f"until {{ {state}; }} >/dev/null 2>&1 || ! pgrep -x sshd >/dev/null; do :; done; {SESSIONS}",
        )
        running.kill()
    ended = Running(kit, *command).end()
    assert ended.code == 0, ended.err
    runs(kit, host, image)
    (runner,) = kit.gitlab.runners(host.name)
    assert len(runner["managers"]) == 1
    assert len(tomllib.loads(kit.ssh(host, f"cat {CONFIG}"))["runners"]) == 1
    kept = json.loads(kit.ssh(host, "cat /var/lib/runnerkit/previous.json"))
    known = kept["managers"][name]
    assert (known["image"], known["left"]) == ((old, "") if verb == "upgrade" else ("", new))
    assert kit.job("echo again")["state"] == "success"


@pytest.mark.parametrize("containerd", [False, True])
def test_on_either_image_store(kit: Kit, world: World, containerd: bool) -> None:
    host = engine(kit, blank_of(world, "upstore", "sid"), containerd)
    version(world, "v19.3.1")
    ready(kit, host)
    there_and_back(kit, host, "v19.3.1", NEW, OLD)
    world.remove("upstore")


def there_and_back(kit: Kit, host: BlankHost, tag: str, new: str, old: str) -> None:
    """An upgrade and a rollback, each while a job runs."""
    for image, words in ((new, ("upgrade", "--to", tag)), (old, ("rollback",))):
        number, _ = long_job(kit, host)
        running = Running(kit, f"runner.{words[0]}", "--host", "all", *words[1:])
        running.until("replace the container gitlab-runner (image")
        kit.ssh(
            host,
            f"until docker logs gitlab-runner 2>&1 | grep -q graceful; do sleep 0.1; done; {END}",
        )
        ended = running.end()
        assert ended.code == 0, ended.err
        assert kit.gitlab.wait(number)["state"] == "success"
        runs(kit, host, image)
    assert kit.job("echo again")["state"] == "success"


@pytest.fixture
def real(kit: Kit, blank: Blank, world: World) -> tuple[BlankHost, str, str]:
    """A host with the older real program, and both under one name with two tags, as on Docker Hub."""
    if not all(REAL):
        pytest.skip("RUNNERKIT_REAL_OLD and RUNNERKIT_REAL_NEW name no images")
    client = docker.from_env()
    tags = [image.rpartition(":")[2] for image in REAL]
    for image, tag in zip(REAL, tags, strict=True):
        helper = image.replace("gitlab-runner:", f"gitlab-runner-helper:{ARCHITECTURE}-")
        mirror.push(client, world.names, client.images.get(image), f"{NAME}:{tag}")
        name = f"{NAME}-helper:{ARCHITECTURE}-{tag}"
        mirror.push(client, world.names, client.images.get(helper), name)
    host = blank("docker", "real1")
    old, new = (f"{NAME}:{tag}" for tag in tags)
    helper = f"{NAME}-helper:{ARCHITECTURE}-v${{CI_RUNNER_VERSION}}"  # before 16.8 none is usual
    web = {"docker": {"helper_image": helper}}
    ready(kit, host, manager={"image": old}, runners={"web": web})
    return host, old, new


def test_the_real_program_there_and_back(kit: Kit, real: tuple[BlankHost, str, str]) -> None:
    host, old, new = real
    there_and_back(kit, host, new.rpartition(":")[2], new, old)


@pytest.mark.parametrize("verb", ["upgrade", "rollback"])
def test_the_real_program_killed_at_each_state(
    kit: Kit, real: tuple[BlankHost, str, str], verb: str
) -> None:
    host, old, new = real
    killed_at_each(kit, host, verb, old, new)
