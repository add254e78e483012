"""A machine made from the image: it registers itself once, and takes itself off at the end."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox.world import World
from tests.hosts.golden import MANAGER, UNIT, Golden
from tests.hosts.kit import CONFIG, Kit

TOKEN, ENV = "/run/runnerkit/token", "/etc/runnerkit/first-boot.env"
NAMES = ("clone1", "clone2")


@pytest.fixture(scope="module")
def pair(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Golden, Golden]]:
    """Two machines of one image."""
    kit = Kit(world, tmp_path_factory.mktemp("clones"))
    hosts = [world.host(name, "docker") for name in NAMES]
    kit.settings(
        *hosts,
        runners={"web": {"image": "debian:bookworm"}},
        manager={"concurrent": "auto"},
        prune={"schedule": "daily"},
    )
    first, second = (Golden(kit, host) for host in hosts)
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(Golden.bake, (first, second)))
    assert "start runnerkit-prune.timer" in done[0]
    assert done[0][-1].startswith("enable runnerkit-first-boot.service")
    assert first.bake() == []
    yield first, second
    for name in NAMES:
        world.remove(name)


@pytest.fixture
def clone(kit: Kit, pair: tuple[Golden, Golden]) -> Golden:
    """One of them, which waits for a secret; so does the other."""
    for each in pair:
        each.forget()
        each.boot()
        each.until_said("no secret yet")
    return pair[0]


def polls(kit: Kit) -> int:
    """How many requests GitLab has had from runners."""
    requests = kit.gitlab.call("GET", "/sandbox/state")["requests"]
    return sum(count for endpoint, count in requests.items() if "/sandbox/" not in endpoint)


def managers(kit: Kit, name: str) -> set[str]:
    (runner,) = kit.gitlab.runners(name)
    return {manager["system_id"] for manager in runner["managers"]}


def before_16(kit: Kit) -> bool:
    version = re.search(r":v(\d+)\.", kit.world.runner_image)
    return version is not None and int(version[1]) < 16


def test_a_secret_that_comes_late_registers_it_once(kit: Kit, clone: Golden) -> None:
    assert "no secret yet: there is neither a credential" in clone.log
    assert not clone.manager_exists

    token = kit.gitlab.new_runner("late")
    clone.write(TOKEN, token)
    clone.online()
    assert f"registered {clone.host.name}-web at {kit.world.gitlab_url}" in clone.log
    assert kit.job("echo hello")["state"] == "success"
    assert clone.holding(token) == [CONFIG]
    assert clone.run(f"stat -c %a {CONFIG}").strip() == "600"
    assert f"concurrent = {clone.run('nproc')}" in clone.run(f"cat {CONFIG}")
    assert clone.run(f"[ -e {TOKEN} ] || echo gone") == "gone\n"

    known, was = managers(kit, "late"), clone.run(f"cat {CONFIG}")
    clone.boot()
    clone.until_said("registered already")
    clone.off("reboot")
    clone.on()
    clone.online()
    log = clone.run(f"journalctl --sync; journalctl -b -o cat -u {UNIT}")
    assert log.count("registered already") >= 1
    assert (clone.entries, clone.run(f"cat {CONFIG}")) == (1, was)
    assert clone.run("systemctl is-active runnerkit-prune.timer") == "active\n"
    assert kit.job("echo again")["state"] == "success"
    assert managers(kit, "late") == known == {clone.system_id}


def test_a_wrong_secret_is_asked_for_once_and_starts_nothing(kit: Kit, clone: Golden) -> None:
    before = polls(kit)
    clone.write(TOKEN, "glrt-wrong00000000000000")
    clone.until_said("refuses the secret of /run/runnerkit/token")
    assert clone.log.count("not tried again until that changes") == 2
    assert polls(kit) == before + 1
    assert (clone.manager_exists, clone.entries) == (False, 0)

    for wrong, words in {
        "glpat-wrong000000000": "holds a personal access token, not a runner",
        "two words": "holds no token: there is a space",
    }.items():
        clone.write(TOKEN, wrong)
        clone.until_said(words)
        assert not clone.manager_exists
    assert polls(kit) == before + 1

    clone.write(TOKEN, kit.gitlab.new_runner("right"))
    clone.online()
    assert managers(kit, "right") == {clone.system_id}


def test_a_secret_that_comes_while_another_is_tried_is_used(kit: Kit, clone: Golden) -> None:
    slow = "#!/bin/sh\ncase $* in run*--rm*) touch /run/asks; until [ -e /run/go ]; do sleep 0.1; done ;; esac"
    clone.write("/usr/local/bin/docker", f'{slow}\nexec /usr/bin/docker "$@"', "755")
    clone.write(TOKEN, "glrt-wrong00000000000000")
    clone.until("[ -e /run/asks ]")
    clone.write(TOKEN, kit.gitlab.new_runner("meanwhile"))
    clone.run("touch /run/go")
    clone.online()
    clone.run("rm /run/asks /run/go /usr/local/bin/docker")
    assert clone.log.count("refuses the secret") == 1
    assert managers(kit, "meanwhile") == {clone.system_id}


@pytest.mark.long
def test_a_gitlab_that_does_not_answer_is_tried_again(kit: Kit, clone: Golden) -> None:
    away = kit.world.gitlab_url.replace(":8080", ":9")
    clone.write(ENV, f'RUNNERKIT_URL={away}\nRUNNERKIT_NAME="by hand"')
    clone.write("/etc/runnerkit/token", kit.gitlab.new_runner("away"))
    clone.until_said(f"registering at {away} failed")
    clone.until_said("in 10 s")
    assert re.search(r"; next try at \d\d:\d\d:\d\d, in 5 s", clone.log)
    assert not clone.manager_exists
    clone.off("reboot")  # after which cloud-init writes nothing again
    clone.on()
    # A container's boots have one id, its machine's: what the unit said before is told by its start.
    start = f"_SYSTEMD_INVOCATION_ID=$(systemctl show -p InvocationID --value {UNIT})"
    clone.until(f"journalctl {start} -o cat | grep -qF 'registering at {away} failed'")
    clone.write(ENV, f'RUNNERKIT_URL={kit.world.gitlab_url}\nRUNNERKIT_NAME="by hand"')
    clone.online()
    assert 'name = "by hand"' in clone.run(f"cat {CONFIG}")
    assert clone.entries == 1


def test_a_command_tells_the_secret_or_is_tried_again(kit: Kit, clone: Golden) -> None:
    command = "/etc/runnerkit/token-command"
    clone.write(command, "#!/bin/sh\ncat /opt/store", "644")
    clone.until_said(f"{command} tells no secret; next try at")
    clone.write("/opt/store", kit.gitlab.new_runner("told"))
    clone.run(f"chmod 700 {command}")
    clone.online()
    assert f"with the secret of {command}" in clone.log
    clone.run("rm /opt/store")


def test_a_credential_of_systemd_is_enough(kit: Kit, clone: Golden) -> None:
    """Handed over as systemd does, which a container lets it not do by itself."""
    clone.write("/run/credstore/runnerkit.token", kit.gitlab.new_runner("credential"))
    words = "/usr/bin/env CREDENTIALS_DIRECTORY=/run/credstore /usr/local/lib/runnerkit/first-boot"
    given = f"/run/systemd/system/{UNIT}.d/given.conf"
    clone.write(given, f"[Service]\nExecStart=\nExecStart={words}", "644")
    clone.run("systemctl daemon-reload")
    clone.boot()
    clone.online()
    assert "with the secret of /run/credstore/runnerkit.token" in clone.log
    clone.run(f"rm {given}; systemctl daemon-reload")
    assert "LoadCredential=runnerkit.token" in clone.run(f"systemctl cat {UNIT}")


def test_cloud_init_keeps_no_copy(kit: Kit, clone: Golden) -> None:
    token = kit.gitlab.new_runner("cloud")
    seed, instance = "/var/lib/cloud/seed/nocloud", "/var/lib/cloud/instances/i-1"
    text = f"write_files: [content: {token}, {token}]"
    for name in (
        "user-data.txt",
        "user-data.txt.i",
        "cloud-config.txt",
        "obj.pkl",
        "scripts/runcmd",
    ):
        clone.write(f"{instance}/{name}", text)
    clone.write(f"{seed}/user-data", text)
    clone.write("/run/cloud-init/instance-data-sensitive.json", text)
    clone.write("/etc/runnerkit/token", token)
    clone.online()
    assert clone.holding(token) == [CONFIG]
    assert clone.run(f"cat {seed}/user-data {instance}/scripts/runcmd") == 2 * (
        text.replace(token, "x" * len(token)) + "\n"
    )
    assert clone.run(f"ls {instance}") == "scripts\n"

    clone.write(f"{instance}/user-data.txt", text)  # as it does at every boot
    clone.boot()
    clone.until(f"[ ! -e {instance}/user-data.txt ]")


def test_at_shutdown_jobs_end_and_only_this_manager_goes(
    kit: Kit, pair: tuple[Golden, Golden], clone: Golden
) -> None:
    token = kit.gitlab.new_runner("leaves")
    for each in pair:
        each.write(ENV, "RUNNERKIT_DRAIN=yes")
        each.write(TOKEN, token)
    for each in pair:
        each.online()
    own, other = (each.system_id for each in pair)
    assert managers(kit, "leaves") == {own, other}
    assert clone.run("systemctl is-enabled runnerkit-leave").strip() == "enabled"
    for target in "poweroff", "reboot":
        patience = clone.run(f"systemctl show -p JobTimeoutUSec --value {target}.target")
        assert patience == "1h 33min\n"

    pair[1].run("docker stop gitlab-runner")  # so that jobs are the first one's
    number = kit.gitlab.queue(["sleep 4", "echo ends well"])
    clone.until("docker ps -q --filter label=com.gitlab.gitlab-runner.type=build | grep -q .")
    clone.off("reboot")
    assert kit.gitlab.job(number)["state"] == "success"
    assert managers(kit, "leaves") == {own, other}

    clone.on()
    clone.online()
    assert kit.job("echo again")["state"] == "success"
    clone.off()
    assert managers(kit, "leaves") == ({own, other} if before_16(kit) else {other})

    clone.on()
    clone.until(MANAGER)
    assert kit.job("echo back")["state"] == "success"
    assert managers(kit, "leaves") == {own, other}
    clone.run("systemctl stop runnerkit-leave")
    assert clone.run(MANAGER) == ""
