"""An autoscaler's manager on a real host: registered, written, linted, its plugins in place.

No job runs here: the stand-in registers these executors, and does not scale.
"""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import tomlkit

from runnerkit.steps import daemon_json, fleeting, image_pulls
from sandbox.world import BlankHost, World
from tests.hosts.golden import Golden
from tests.hosts.kit import CONFIG, Kit
from tests.hosts.plugins import publish

STATIC = "/etc/gitlab-runner/fleeting/fleeting-plugin-static"
ON_HOST = "/srv/gitlab-runner/config/fleeting/fleeting-plugin-static"
PLACE = "/srv/gitlab-runner/config/fleeting/registry.gitlab.com/gitlab-org/fleeting/plugins/aws"
GROUP: dict[str, Any] = {
    "plugin": STATIC,
    "capacity_per_instance": 1,
    "max_instances": 2,
    "instance_ready_command": "runner-host-ready",
    "plugin_config": {"instances": {"one": {"internal_addr": "10.0.0.1:22"}}},
    "connector_config": {"username": "runner", "timeout": "10m"},
    "policy": [
        {"periods": ["* 8-18 * * mon-fri"], "idle_count": 1, "idle_time": "90m"},
        {"idle_count": 0, "idle_time": "20m"},
    ],
}
FETCHER = "local/gitlab-runner:v19.3.0"
# What 16.11 and later have and the stand-in has not, as far as the kit uses it.
FLEETING = r"""#!/bin/sh
[ "$1" = fleeting ] || exec /usr/bin/gitlab-runner "$@"
plugin=$(sed -n 's/^plugin = "\(.*\)"/\1/p' "$3")
place=$FLEETING_PLUGIN_PATH/registry.gitlab.com/gitlab-org/fleeting/plugins/${plugin%:*}/1.0.1
case $4 in
  install) mkdir -p "$place"; echo made >"$place/plugin" ;;
  list) [ -e "$place/plugin" ] && echo "runner: x, plugin: $plugin, path: $place/plugin" ;;
esac
"""


@pytest.fixture(scope="module")
def ready(world: World) -> Iterator[BlankHost]:
    """A host with Docker, for all tests of this file."""
    yield world.host("scales", "docker")
    world.remove("scales")


@pytest.fixture
def host(kit: Kit, ready: BlankHost) -> BlankHost:
    """The same, registered with nobody and without plugins."""
    kit.ssh(
        ready,
        f"docker rm -f gitlab-runner registry; rm -rf {CONFIG} {CONFIG}.previous /srv/gitlab-runner/config/fleeting",
    )
    return ready


def scale(kit: Kit, host: BlankHost, executor: str = "docker-autoscaler", **options: Any) -> None:
    """Settings with a runner that scales, in the place of the one that does not."""
    runner = {
        "executor": executor,
        "token": {"env": "RUNNER_TOKEN"},
        "autoscaler": {**GROUP, **options},
        **({"image": "debian:bookworm"} if executor != "instance" else {}),
    }
    kit.settings(host, manager={"image": kit.world.runner_image, "concurrent": 2})
    kit.data["runners"] = {"web": runner}
    write(kit)
    if "RUNNER_TOKEN" not in kit.env:
        kit.new_token("scales")


def write(kit: Kit) -> None:
    (kit.folder / "runnerkit.toml").write_text(tomlkit.dumps(kit.data))


def entry(kit: Kit, host: BlankHost) -> dict[str, Any]:
    (found,) = tomllib.loads(kit.ssh(host, f"cat {CONFIG}"))["runners"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    "executor", ["docker-autoscaler", pytest.param("instance", marks=pytest.mark.long)]
)
def test_registered_with_its_executor_and_what_the_program_rewrites_is_no_difference(
    kit: Kit, host: BlankHost, executor: str
) -> None:
    scale(kit, host, executor)
    kit.bootstrap()
    found = entry(kit, host)
    assert found["executor"] == executor
    assert ("docker" in found) is (executor != "instance")
    assert found["autoscaler"]["plugin_config"] == GROUP["plugin_config"]
    assert len(found["autoscaler"]["policy"]) == 2
    assert kit.ssh(host, f"stat -c %a {CONFIG}").strip() == "600"
    assert kit.plan().titles == []
    # A save by the program itself: zeros go, times change form.
    before = kit.ssh(host, f"cat {CONFIG}")
    kit.ssh(host, "docker exec gitlab-runner gitlab-runner verify --delete")
    assert kit.plan().titles == [], before


def test_a_key_that_the_program_does_not_know_is_refused_by_it_and_the_file_stays(
    kit: Kit, host: BlankHost
) -> None:
    scale(kit, host)
    kit.bootstrap()
    if not re.search(r"\blint\b", kit.ssh(host, "docker exec gitlab-runner gitlab-runner --help")):
        pytest.skip("this program is older than 19.3 and has no lint")
    before = kit.ssh(host, f"cat {CONFIG}")
    scale(kit, host, novel=3)
    failed = kit.bootstrap(code=1).hosts[host.name]
    assert "unknown key: runners.autoscaler.novel" in failed["error"]
    assert "correct what the settings say" in failed["fix"]
    assert kit.ssh(host, f"cat {CONFIG}") == before


def test_a_plugin_that_is_not_on_the_host_yet_is_told_until_it_is(
    kit: Kit, host: BlankHost
) -> None:
    scale(kit, host)
    (note,) = kit.bootstrap().found("autoscaler-file-absent")
    assert f"the plugin of runner web, {STATIC}, is not there" in note["what"]
    kit.ssh(host, f"install -D /bin/true {ON_HOST}")
    assert kit.plan().found("autoscaler-file-absent") == []


@pytest.mark.long
def test_a_key_that_was_misspelt_before_holds_up_nothing(kit: Kit, host: BlankHost) -> None:
    scale(kit, host)
    kit.bootstrap()
    kit.ssh(host, f"sed -i '1i novel = true' {CONFIG}")
    scale(kit, host, policy=[{"idle_count": 1}])
    assert kit.bootstrap().titles == [f"write {CONFIG}"]
    assert kit.ssh(host, f"grep -c novel {CONFIG}").strip() == "1"


def test_a_password_is_in_config_toml_and_nowhere_else(kit: Kit, host: BlankHost) -> None:
    scale(kit, host, connector_config={"password": {"env": "MACHINE_PASSWORD"}})
    kit.env["MACHINE_PASSWORD"] = "sentinel-77"
    ran = kit.bootstrap()
    assert "sentinel-77" not in ran.out + ran.err
    assert entry(kit, host)["autoscaler"]["connector_config"]["password"] == "sentinel-77"
    assert "sentinel-77" not in kit.ssh(
        host, "docker inspect gitlab-runner; docker logs gitlab-runner 2>&1"
    )
    kit.env["MACHINE_PASSWORD"] = "sentinel-78"
    pending = kit.plan()
    assert pending.titles == [f"write {CONFIG}"]
    assert "sentinel" not in pending.out + pending.err


@pytest.mark.long
def test_a_plugin_outlives_the_manager_and_is_fetched_where_it_is_missing(
    kit: Kit, host: BlankHost
) -> None:
    if not kit.world.stand_in:
        pytest.skip("it would fetch it from registry.gitlab.com; the next test has it another")
    build(kit, host, "older")
    scale(kit, host, plugin="aws:1")
    failed = kit.bootstrap(code=1).hosts[host.name]
    assert "install the fleeting plugin aws:1" in failed["error"]
    assert "16.11 and later can" in failed["fix"]
    assert kit.ssh(host, f"cat {CONFIG}", check=False) == ""

    kit.data["manager"]["image"] = FETCHER
    write(kit)
    assert "install the fleeting plugin aws:1" in kit.bootstrap().titles
    output = kit.ssh(
        host, "docker exec gitlab-runner sh -c 'cat $FLEETING_PLUGIN_PATH/*/*/*/*/*/*/plugin'"
    )
    assert output == "made\n"
    assert kit.plan().titles == []

    build(kit, host, "newer")
    assert [title.partition(" (")[0] for title in kit.bootstrap().titles] == [
        "replace the container gitlab-runner"
    ]
    assert kit.ssh(host, f"cat {PLACE}/1.0.1/plugin") == "made\n"

    kit.ssh(host, f"rm -r {PLACE}")
    assert kit.plan().titles == ["install the fleeting plugin aws:1"]


def test_the_official_program_itself_fetches_a_plugin_once(kit: Kit, host: BlankHost) -> None:
    """Without its executors, which not every build has."""
    scale(kit, host)
    golden = Golden(kit, host)
    golden.bake((daemon_json, image_pulls))
    asks = f"docker run --rm --entrypoint gitlab-runner {kit.world.runner_image} --help"
    if "fleeting" not in kit.ssh(host, asks):
        pytest.skip("this program cannot fetch plugins; 16.11 and later can")
    kit.ssh(host, "docker run -d --name registry -p 80:5000 registry:2")
    name = "plugins/static"
    place = f"/srv/gitlab-runner/config/fleeting/{host.address}/{name}"
    publish(f"http://{host.address}", name, "1.0.1", b"first")
    scale(kit, host, plugin=f"{host.address}/{name}:1")
    title = f"install the fleeting plugin {host.address}/{name}:1"
    assert golden.bake((fleeting,)) == [title]
    assert kit.ssh(host, f"cat {place}/1.0.1/plugin") == "first"
    assert f"path: {place}/1.0.1/plugin".replace(
        "/srv/gitlab-runner/config", "/etc/gitlab-runner"
    ) in kit.ssh(host, f"cat {place}/installed-1")

    publish(f"http://{host.address}", name, "1.1.0", b"second")
    assert golden.bake((fleeting,)) == []
    kit.ssh(host, f"rm -r {place}")
    assert golden.bake((fleeting,)) == [title]
    assert kit.ssh(host, f"cat {place}/1.1.0/plugin") == "second"


def build(kit: Kit, host: BlankHost, age: str) -> None:
    """A manager's image that can install plugins; of another age, another image."""
    kit.ssh(host, f"""set -e; mkdir -p /root/fetcher; cd /root/fetcher
cat >gitlab-runner <<'END'
{FLEETING}END
chmod +x gitlab-runner
printf 'FROM {kit.world.runner_image}\\nCOPY gitlab-runner /usr/local/bin/\\nLABEL age={age}\\n' >Dockerfile
docker build -q -t {FETCHER} .""")  # fmt: skip
