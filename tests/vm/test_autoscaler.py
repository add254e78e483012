"""The official program hands jobs to other machines over SSH, and none to the manager's host.

Needs RUNNERKIT_RUNNER_IMAGE with an image of the real gitlab-runner that has docker-autoscaler,
and Go with its modules for the plugin: the official static one cannot be fetched everywhere.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from sandbox.world import Host, World, up
from tests.hosts.kit import Kit

CONFIG_DIR = "/srv/gitlab-runner/config"
PLUGIN = "fleeting-plugin-static"
STARTED = (
    "docker events --since 60m --until 0s --filter event=start"
    " --filter label=com.gitlab.gitlab-runner.managed=true | wc -l"
)

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
    made = Kit(world, tmp_path_factory.mktemp("kit"))
    yield made
    made.gitlab.forget_runners("scales")
    for name in ("manager", "one", "two"):
        world.remove(name)


@pytest.fixture(scope="module")
def machines(kit: Kit) -> dict[str, Host]:
    """Two machines as a group would make them of a golden image, which let a key in."""
    made = {name: kit.world.host(name, "docker") for name in ("one", "two")}
    helper = (
        kit._helper() or f"gitlab/gitlab-runner-helper:{kit.world.runner_image.partition(':')[2]}"
    )
    key = next(iter(made.values())).key.with_suffix(".pub").read_text()
    for host in made.values():
        kit.ssh(host, f"""set -e
useradd --create-home --shell /bin/bash --groups docker runner
mkdir -p ~runner/.ssh; echo '{key}' >~runner/.ssh/authorized_keys; chown -R runner: ~runner/.ssh
echo '{{"registry-mirrors": ["{kit.world.mirror_url}"]}}' >/etc/docker/daemon.json
systemctl reload docker
until docker info | grep -q '{kit.world.mirror_url}'; do :; done
docker pull -q debian:bookworm; docker pull -q {helper}""")  # fmt: skip
    return made


@pytest.fixture(scope="module")
def manager(kit: Kit, plugin: Path, machines: dict[str, Host]) -> Host:
    """A manager's host with the plugin and the machines' key, set up by the kit."""
    host = kit.world.host("manager", "docker")
    kit.ssh(host, f"mkdir -p -m 700 {CONFIG_DIR}; mkdir -p {CONFIG_DIR}/fleeting")
    ssh = [
        "-F",
        "none",
        "-i",
        str(host.key),
        "-o",
        f"UserKnownHostsFile={kit.world.state}/known_hosts",
    ]
    for file, place in ((plugin, f"fleeting/{PLUGIN}"), (host.key, "machines.key")):
        target = f"root@{host.address}:{CONFIG_DIR}/{place}"
        subprocess.run(["scp", "-q", *ssh, str(file), target], check=True)
    addresses = {name: {"internal_addr": f"{one.address}:22"} for name, one in machines.items()}
    autoscaler: dict[str, Any] = {
        "plugin": f"/etc/gitlab-runner/fleeting/{PLUGIN}",
        "capacity_per_instance": 1,
        "max_instances": 2,
        "plugin_config": {"instances": addresses},
        "connector_config": {
            "username": "runner",
            "key_path": "/etc/gitlab-runner/machines.key",
            "use_static_credentials": True,
            "timeout": "1m",
        },
        "policy": [{"idle_count": 0, "idle_time": "1m"}],
    }
    kit.settings(host)
    kit.data["runners"] = {
        "web": {
            "name": "scales",
            "executor": "docker-autoscaler",
            "image": "debian:bookworm",
            "token": {"env": "RUNNER_TOKEN"},
            "autoscaler": autoscaler,
            **({"docker": {"helper_image": helper}} if (helper := kit._helper()) else {}),
        }
    }
    (kit.folder / "runnerkit.toml").write_text(tomlkit.dumps(kit.data))
    kit.new_token("scales")
    kit.bootstrap()
    # 15.11 forgets [runners.docker] at registering, and may poll before it has read the kit's write.
    kit.ssh(host, "docker restart -t 60 gitlab-runner")
    return host


def test_two_jobs_at_once_run_on_two_machines_and_none_on_the_manager(
    kit: Kit, manager: Host, machines: dict[str, Host]
) -> None:
    jobs = [kit.gitlab.queue(["cat /etc/hostname", "sleep 20"]) for _ in machines]
    for job in jobs:
        ended = kit.gitlab.wait(job, 180)
        assert ended["state"] == "success", ended["trace"]
    for host in machines.values():
        assert int(kit.ssh(host, STARTED)) > 0
    assert int(kit.ssh(manager, STARTED)) == 0
    assert kit.plan().titles == []


def test_a_new_manager_waits_for_the_jobs_on_other_machines(kit: Kit, manager: Host) -> None:
    job = kit.gitlab.queue(["echo begun", "sleep 45"])  # longer than an idle manager is given
    log = kit.gitlab.follow(job)
    while "begun\n" not in next(log):
        pass
    kit.data["manager"]["environment"] = {"NEW": "yes"}
    (kit.folder / "runnerkit.toml").write_text(tomlkit.dumps(kit.data))
    assert kit.bootstrap().titles == ["replace the container gitlab-runner (environment NEW)"]
    assert kit.gitlab.job(job)["state"] == "success"
