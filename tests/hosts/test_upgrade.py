"""Managers brought to another version and back: no job is lost, and what does not come up goes back."""

import tomllib

from sandbox.world import BlankHost, World
from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit, Ran
from tests.hosts.test_drain import INSIDE, long_job
from tests.hosts.versions import version

IMAGE = "docker container inspect -f '{{.Config.Image}} {{.State.Running}}' gitlab-runner"
LEFT = "docker ps -a --format '{{.Names}}'"
OLD, NEW = "gitlab/gitlab-runner:v19.3.0", "gitlab/gitlab-runner:v19.3.1"


def upgrade(kit: Kit, *words: str, code: int = 0, host: str = "all") -> Ran:
    ran = kit.run("runner.upgrade", "--host", host, "--json", *words)
    assert ran.code == code, ran.out + ran.err
    return ran


def standings(ran: Ran) -> dict[str, str]:
    return {name: one["standing"] for name, one in ran.hosts.items()}


def ready(kit: Kit, *hosts: BlankHost) -> None:
    kit.new_token(hosts[0].name)
    kit.settings(*hosts)
    kit.bootstrap()


def test_a_job_lives_through_an_upgrade_and_the_settings_say_so(
    kit: Kit, blank: Blank, world: World
) -> None:
    host = blank("docker", "up1")
    version(world, "v19.3.1")
    ready(kit, host)
    number = long_job(kit, host)
    kit.ssh(host, f"(sleep 3; docker exec $({INSIDE}) touch /end) >/dev/null 2>&1 &")
    ran = upgrade(kit, "--to", "v19.3.1", "--write")
    assert standings(ran) == {"up1": "upgraded"}
    assert kit.gitlab.wait(number)["state"] == "success"
    assert kit.ssh(host, IMAGE) == f"{NEW} true\n"
    assert kit.ssh(host, LEFT) == "gitlab-runner\n"
    assert tomllib.loads((kit.folder / "runnerkit.toml").read_text())["manager"]["image"] == NEW
    assert kit.plan().titles == []
    assert kit.job("echo again")["state"] == "success"
