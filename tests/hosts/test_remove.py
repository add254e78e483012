"""A runner taken away: what the kit put there goes, what others have stays, and no job is lost."""

import re
from pathlib import Path

import pytest

from sandbox.world import BlankHost
from tests.hosts.conftest import Blank
from tests.hosts.kit import CONFIG, Kit, Ran
from tests.hosts.test_drain import INSIDE, long_job, taken_by
from tests.hosts.test_killed import Running
from tests.pages import commands

pytestmark = pytest.mark.usefixtures("counted")

# What a removal has to leave as it was before the first bootstrap.
STATE = r"""docker ps -a --format '{{.Names}}' | sort
docker volume ls -q | sort
docker images --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}' | sort
docker network ls --format '{{.Name}}' | sort
find /srv /etc/docker /usr/local /var/lib/runnerkit /etc/systemd/system /etc/cron* /etc/apt /tmp /run/runnerkit* \
  ! -path '/tmp/systemd-*' 2>/dev/null | sort
cat /etc/docker/daemon.json
systemctl list-unit-files --no-legend | awk '{print $1, $2}' | sort
systemctl list-units --all --no-legend --plain 'docker*' 'runnerkit*' | awk '{print $1, $3}'
iptables -S DOCKER-USER
docker info --format '{{json .RegistryConfig.Mirrors}}'"""
# Of a host without Docker.
BLANK = r"""dpkg -l | awk '{print $1, $2}'
find /srv /etc /usr/local /opt /var/lib -xdev ! -path '/var/lib/apt/*' ! -path '/var/lib/dpkg/*' ! -path '/etc/ssl/certs/*' 2>/dev/null | sort
systemctl list-unit-files --no-legend | awk '{print $1, $2}' | sort
systemctl list-units --all --no-legend --plain 'docker*' 'runnerkit*' 'containerd*' | awk '{print $1, $3}'
ls /run | grep -E 'docker|containerd|runnerkit'
ls /tmp | grep -v ^systemd-
cat /proc/sys/net/ipv4/ip_forward
! command -v ip >/dev/null || ls /sys/class/net
getent group | sort
:"""
HERE = "tests/hosts/test_remove.py"
API = {"api_token": {"env": "GITLAB_TOKEN"}}


def by_api(kit: Kit, host: BlankHost, name: str) -> None:
    kit.settings(
        host, gitlab=API, runners={"web": {"name": name}}, prune={"schedule": "daily"},
        docker={"metadata": "closed", "daemon": {"max-concurrent-downloads": 5}},
    )  # fmt: skip
    kit.env["GITLAB_TOKEN"] = kit.world.api_token


def others(kit: Kit, host: BlankHost) -> str:
    """Things of other people on the host; how it is then."""
    kit.mirrored(host, debug=False)
    kit.ssh(
        host,
        """docker pull -q debian:bookworm
        docker run -d --name theirs --restart always -v theirs:/data debian:bookworm sleep inf
        docker tag debian:bookworm theirs/app:1
        mkdir -p /srv/theirs && echo 1 >/srv/theirs/file""",
    )
    return kit.ssh(host, STATE)


def test_the_commands_of_the_page(kit: Kit, blank: Blank) -> None:
    """All goes but what others have; and the host can be set up again."""
    dry, remove, bootstrap = commands(f"{HERE}::test_the_commands_of_the_page")
    host = blank("docker", "ci1")
    before = others(kit, host)
    by_api(kit, host, "leaving")
    kit.bootstrap()
    assert kit.job("echo hello")["state"] == "success"

    refused = kit.run(*remove.split()[1:-1])
    assert refused.code == 1
    assert "--yes" in refused.err
    planned = kit.run(*dry.split()[1:], "--json")
    assert planned.code == 2, planned.out + planned.err
    assert kit.plan().titles == []

    number = running_job(kit, host, 3)
    ran = kit.run(*remove.split()[1:], "--json")
    assert ran.code == 0, ran.out + ran.err
    assert kit.gitlab.wait(number)["state"] == "success"
    titles = [one["title"] for one in planned.hosts["ci1"]["pending"]]
    assert [re.split("[:,]", title)[0] for title in ran.titles] == [
        re.split("[:,]", title)[0] for title in titles
    ]
    assert kit.ssh(host, STATE) == before
    assert kit.gitlab.runners("leaving") == []

    assert removed(kit).titles == []
    assert kit.run(*bootstrap.split()[1:]).code == 0
    assert kit.job("echo again")["state"] == "success"


@pytest.mark.long
def test_a_blank_host_is_blank_again(kit: Kit, blank: Blank) -> None:
    """Docker came by the kit, and goes with it."""
    host = blank("systemd", "blanked")
    before = kit.ssh(host, BLANK)
    by_api(kit, host, "blanked")
    kit.bootstrap()
    assert kit.job("echo hello")["state"] == "success"
    removed(kit)
    assert kit.ssh(host, BLANK) == before
    assert kit.gitlab.runners("blanked") == []
    kit.bootstrap()
    assert kit.job("echo again")["state"] == "success"


def running_job(kit: Kit, host: BlankHost, seconds: int) -> int:
    """A job that takes so long, from when it runs on."""
    number = kit.gitlab.queue([f"sleep {seconds}", "echo ends well"])
    taken_by(kit, number, host)
    return number


def removed(kit: Kit, *words: str) -> Ran:
    ran = kit.run("runner.remove", "--host", "all", "--yes", "--json", *words)
    assert ran.code == 0, ran.out + ran.err
    return ran


def killed_at_each_change(kit: Kit) -> list[str]:
    """Removals, each killed when a change begins that none has begun before; then one to its end."""
    killed = list[str]()
    while True:
        running = Running(kit, "runner.remove", "--host", "all", "--yes")
        fresh = next((title for title in running.changes() if title not in killed), "")
        if not fresh:
            ended = running.end()
            assert ended.code == 0, ended.err
            return killed
        killed += [fresh, *running.kill()]


@pytest.mark.long
def test_killed_at_every_change(kit: Kit, blank: Blank) -> None:
    host = blank("docker", "cutoff")
    before = others(kit, host)
    by_api(kit, host, "cutoff")
    kit.bootstrap()
    assert kit.job("echo hello")["state"] == "success"
    planned = kit.run("runner.remove", "--host", "all", "--dry-run", "--json").hosts["cutoff"]
    killed = killed_at_each_change(kit)
    # Once the runner is gone at GitLab, its manager is taken off by its token, which is none any more.
    begun = {title.rpartition(", and ")[2] for title in killed}
    assert begun >= {one["title"] for one in planned["pending"]}
    assert kit.ssh(host, STATE) == before
    assert kit.gitlab.runners("cutoff") == []


@pytest.mark.long
def test_killed_at_every_change_where_docker_goes_too(kit: Kit, blank: Blank) -> None:
    host = blank("systemd", "cutblank")
    before = kit.ssh(host, BLANK)
    by_api(kit, host, "cutblank")
    kit.bootstrap()
    killed_at_each_change(kit)
    assert kit.ssh(host, BLANK) == before
    assert kit.gitlab.runners("cutblank") == []


@pytest.mark.long
def test_a_runner_made_by_hand_stays_at_gitlab_without_this_manager(kit: Kit, blank: Blank) -> None:
    """And a job that runs ends before its manager goes."""
    host = blank("docker", "byhand")
    kit.new_token("byhand")
    kit.settings(host)
    kit.env["GITLAB_TOKEN"] = kit.world.api_token
    kit.bootstrap()
    number, _ = long_job(kit, host)
    running = Running(kit, "runner.remove", "--host", "all", "--yes")
    running.until("remove the container gitlab-runner, after its 1 running job")
    kit.ssh(host, f"docker exec $({INSIDE}) touch /end")
    ended = running.end()
    assert ended.code == 0, ended.err
    assert kit.gitlab.wait(number)["state"] == "success"
    (left,) = kit.gitlab.runners("byhand")
    assert left["managers"] == []
    assert kit.ssh(host, f"ls {CONFIG} /srv", check=False) == "/srv:\n"


@pytest.mark.long
def test_a_job_of_a_minute_lives_through_it(kit: Kit, blank: Blank) -> None:
    host = blank("docker", "minute")
    kit.new_token("minute")
    kit.settings(host)
    kit.bootstrap()
    number = running_job(kit, host, 60)
    removed(kit)
    assert kit.gitlab.wait(number)["state"] == "success"


@pytest.mark.long
def test_only_what_is_of_this_settings_file_goes(kit: Kit, blank: Blank, tmp_path: Path) -> None:
    """Another settings file has a runner in the same manager, and one was registered by hand."""
    host = blank("docker", "shared")
    by_api(kit, host, "first")
    kit.bootstrap()
    folder = tmp_path / "second"
    folder.mkdir()
    second = Kit(kit.world, folder)
    by_api(second, host, "second")
    second.bootstrap()
    number = running_job(kit, host, 8)
    ran = removed(kit)
    assert "the manager stays" in str(ran.hosts["shared"]["notes"])
    assert kit.gitlab.wait(number)["state"] == "success"
    assert kit.gitlab.runners("first") == []
    (left,) = kit.gitlab.runners("second")
    assert len(left["managers"]) == 1
    assert second.plan().titles == []
    assert kit.job("echo on")["state"] == "success"
    removed(second)
    assert kit.gitlab.runners("second") == []
    assert kit.ssh(host, "docker ps -aq; ls /srv; ls -d /var/lib/runnerkit; :") == ""


def test_a_host_that_is_down_is_told_with_what_is_left(kit: Kit) -> None:
    """Nothing is done at GitLab unless that is asked for."""
    mark = "runnerkit host=down machine=0 runner=web"
    kit.gitlab.new_runner("down", maintenance_note=mark)
    kit.settings(gitlab=API, hosts={"down": {"address": "root@127.0.0.1:9"}},
                 runners={"web": {"name": "down"}})  # fmt: skip
    kit.env["GITLAB_TOKEN"] = kit.world.api_token
    ran = kit.run("runner.remove", "--host", "all", "--yes", "--json")
    assert ran.code == 1
    notes = " ".join(ran.hosts["down"]["notes"])
    (left,) = kit.gitlab.runners("down")
    for word in (
        f"down (#{left['id']}",
        "gitlab-runner",
        "runner.remove --host down",
        "gitlab.ghosts",
    ):
        assert word in notes
