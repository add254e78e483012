"""The official program hands jobs to machines of a golden image over SSH, and none to its own host.

Needs RUNNERKIT_RUNNER_IMAGE with an image of the real gitlab-runner that has both executors, and
Go with its modules for the plugin: the official static one cannot be fetched everywhere.
"""

import os
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from runnerkit.place import ROOT
from runnerkit.settings.load import load
from sandbox.golden import clones
from sandbox.golden.clones import Clone
from sandbox.world import BlankHost, World, up
from tests.hosts.kit import Kit

CONFIG_DIR = "/srv/gitlab-runner/config"
PLUGIN = "fleeting-plugin-static"
STARTED = (
    "docker events --since 60m --until 0s --filter event=start"
    " --filter label=com.gitlab.gitlab-runner.managed=true | wc -l"
)
CONTAINERS, ITSELF = ("one", "two"), ("three",)  # machines, by where a job runs on them

pytestmark = pytest.mark.skipif(
    not os.environ.get("RUNNERKIT_RUNNER_IMAGE") or not shutil.which("go"),
    reason="needs the real gitlab-runner in RUNNERKIT_RUNNER_IMAGE, and Go",
)


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tests' own plugin, built outside of the repository."""
    place = tmp_path_factory.mktemp("plugin")
    shutil.copytree(Path(__file__).with_name("static-plugin"), place, dirs_exist_ok=True)
    command = ["go", "build", "-trimpath", "-o", PLUGIN, "."]
    subprocess.run(command, cwd=place, env={**os.environ, "CGO_ENABLED": "0"}, check=True)
    return place / PLUGIN


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    world: World = up(kinds=("docker",))
    if world.stand_in:
        pytest.skip("the stand-in registers docker-autoscaler, and does not scale")
    result = Kit(world, tmp_path_factory.mktemp("kit"))
    yield result
    for name in ("scales", "itself"):
        result.gitlab.forget_runners(name)
    world.remove("manager")


@pytest.fixture(scope="module")
def manager(kit: Kit) -> BlankHost:
    return kit.world.host("manager", "docker")


def write(kit: Kit, manager: BlankHost, addresses: dict[str, str]) -> None:
    """One file of settings, for the image and for the manager."""

    def scaled(names: tuple[str, ...]) -> dict[str, Any]:
        return {
            "plugin": f"/etc/gitlab-runner/fleeting/{PLUGIN}",
            "capacity_per_instance": 1,
            "max_instances": len(names),
            "plugin_config": {
                "instances": {name: {"internal_addr": addresses.get(name, "")} for name in names}
            },
            "connector_config": {
                "username": "runner",
                "key_path": "/etc/gitlab-runner/machines.key",
                "use_static_credentials": True,
                "timeout": "1m",
            },
            "policy": [{"idle_count": 0, "idle_time": "1m"}],
        }

    kit.settings(manager, manager={"concurrent": len(CONTAINERS + ITSELF)})
    kit.data["runners"] = {
        "containers": {
            "name": "scales",
            "executor": "docker-autoscaler",
            "image": "tester",
            "token": {"env": "RUNNER_TOKEN"},
            "autoscaler": scaled(CONTAINERS),
            "docker": kit.world.own_helper,
        },
        "itself": {
            "name": "itself",
            "executor": "instance",
            "token": {"env": "OTHER_TOKEN"},
            "autoscaler": scaled(ITSELF),
        },
    }
    kit.data["golden"] = {"memory_mb": 1536}
    (kit.folder / "runnerkit.toml").write_text(tomlkit.dumps(kit.data))


@pytest.fixture(scope="module")
def machines(kit: Kit, manager: BlankHost) -> Iterator[dict[str, Clone]]:
    """Machines as a group makes them of the image: nothing in their user data but a key."""
    write(kit, manager, {})
    ran = kit.run("golden.bake", timeout=1800)
    assert ran.code == 0, ran.out + ran.err
    image = Path(ran.out.splitlines()[0])
    folder = image.parent / "machines"
    read = load(kit.folder / "runnerkit.toml")
    result: dict[str, Clone] = {}
    try:
        for name in CONTAINERS + ITSELF:
            result[name] = clones.switch_on(
                name, image, folder / name, read, kit.world, "", kit.world.net.address(1)
            )
        with ThreadPoolExecutor() as pool:
            list(pool.map(clones.answers, result.values()))
        yield result
    finally:
        for clone in result.values():
            clone.vm.stop()
        shutil.rmtree(image.parent)


@pytest.fixture(scope="module")
def ready(kit: Kit, plugin: Path, manager: BlankHost, machines: dict[str, Clone]) -> BlankHost:
    """A manager with the plugin and the machines' key, set up by the kit."""
    kit.ssh(manager, f"mkdir -p -m 700 {CONFIG_DIR}; mkdir -p {CONFIG_DIR}/fleeting")
    known = f"UserKnownHostsFile={kit.world.state}/known_hosts"
    ssh = ["-F", "none", "-i", str(manager.key), "-o", known]
    for file, place in ((plugin, f"fleeting/{PLUGIN}"), (manager.key, "machines.key")):
        target = f"root@{manager.address}:{CONFIG_DIR}/{place}"
        subprocess.run(["scp", "-q", *ssh, str(file), target], check=True)
    write(kit, manager, {name: f"{one.vm.address}:{one.vm.ssh}" for name, one in machines.items()})
    kit.env["OTHER_TOKEN"] = kit.gitlab.new_runner("itself", tag_list="itself", run_untagged=False)
    kit.new_token("scales")
    kit.bootstrap()
    # 15.11 forgets [runners.docker] at registering, and may poll before it has read the kit's write.
    kit.ssh(manager, "docker restart -t 60 gitlab-runner")
    return manager


def test_such_a_machine_registers_nothing_and_keeps_no_manager(
    kit: Kit, machines: dict[str, Clone]
) -> None:
    for clone in machines.values():
        assert clone.run(f"ls -A {CONFIG_DIR} 2>/dev/null; docker ps -aq") == ""
        names = clone.run("docker image ls --format '{{.Repository}}:{{.Tag}}'").split()
        assert "tester:latest" in names
        assert kit.world.runner_image not in names


@pytest.mark.parametrize("cloud", ["aws", "gcp", "azure"])
def test_the_examples_find_out_when_a_machine_is_ready(
    machines: dict[str, Clone], cloud: str
) -> None:
    """By a command that the program's connector runs before the first job; 15.11 knows none yet."""
    data = tomllib.loads((ROOT / "templates" / f"runnerkit.{cloud}.toml").read_text())
    (runner,) = data["runners"].values()
    with machines["one"].login("runner") as user:
        ran = user.run(runner["autoscaler"]["instance_ready_command"], hide=True, in_stream=False)
    assert "status: done" in ran.stdout
    assert "Server Version" in ran.stdout


def test_two_jobs_at_once_run_on_two_machines_and_none_on_the_manager(
    kit: Kit, ready: BlankHost, machines: dict[str, Clone]
) -> None:
    jobs = [kit.gitlab.queue(["cat /etc/hostname", "sleep 20"]) for _ in CONTAINERS]
    for job in jobs:
        ended = kit.gitlab.wait(job, 600)
        assert ended["state"] == "success", ended["trace"]
    for name in CONTAINERS:
        assert int(machines[name].run(STARTED)) > 0
    assert int(kit.ssh(ready, STARTED)) == 0
    assert kit.plan().titles == []


def test_a_job_of_the_instance_executor_runs_on_the_machine_itself(
    kit: Kit, ready: BlankHost, machines: dict[str, Clone]
) -> None:
    script = ["uname -n", "id -un", "git --version", "gitlab-runner --version"]
    ended = kit.gitlab.wait(kit.gitlab.queue(script, tags=["itself"]), 300)
    assert ended["state"] == "success", ended["trace"]
    output = ended["trace"].splitlines()
    assert {"three", "runner"} <= set(output)
    version = kit.world.runner_image.rpartition(":v")[2]
    assert any(line.split() == ["Version:", version] for line in output)
    assert int(machines["three"].run(STARTED)) == 0


def test_a_new_manager_waits_for_the_jobs_on_other_machines(kit: Kit, ready: BlankHost) -> None:
    job = kit.gitlab.queue(["echo begun", "sleep 45"])  # longer than an idle manager is given
    log = kit.gitlab.follow(job)
    while "begun\n" not in next(log):
        pass
    kit.data["manager"]["environment"] = {"NEW": "yes"}
    (kit.folder / "runnerkit.toml").write_text(tomlkit.dumps(kit.data))
    assert kit.bootstrap().titles == ["replace the container gitlab-runner (environment NEW)"]
    assert kit.gitlab.job(job)["state"] == "success"
