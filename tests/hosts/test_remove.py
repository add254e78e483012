"""A runner taken away: what the kit put there goes, what others have stays, and no job is lost."""

import pytest

from sandbox.world import BlankHost
from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit

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
ls /sys/class/net
getent group | sort
:"""
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


def test_all_goes_but_what_others_have(kit: Kit, blank: Blank) -> None:
    host = blank("docker", "leaving")
    before = others(kit, host)
    by_api(kit, host, "leaving")
    kit.bootstrap()
    assert kit.job("echo hello")["state"] == "success"

    refused = kit.run("runner.remove", "--host", "all")
    assert refused.code == 1
    assert "--yes" in refused.err
    dry = kit.run("runner.remove", "--host", "all", "--dry-run", "--json")
    assert dry.code == 2, dry.out + dry.err
    assert kit.plan().titles == []

    ran = kit.run("runner.remove", "--host", "all", "--yes", "--json")
    assert ran.code == 0, ran.out + ran.err
    planned = [one["title"] for one in dry.hosts["leaving"]["pending"]]
    assert ran.titles == planned
    assert kit.ssh(host, STATE) == before
    assert kit.gitlab.runners("leaving") == []

    assert kit.run("runner.remove", "--host", "all", "--yes").code == 0
    kit.bootstrap()
    assert kit.job("echo again")["state"] == "success"


@pytest.mark.long
def test_a_blank_host_is_blank_again(kit: Kit, blank: Blank) -> None:
    """Docker came by the kit, and goes with it."""
    host = blank("systemd", "blanked")
    before = kit.ssh(host, BLANK)
    by_api(kit, host, "blanked")
    kit.bootstrap()
    assert kit.job("echo hello")["state"] == "success"
    ran = kit.run("runner.remove", "--host", "all", "--yes", "--json")
    assert ran.code == 0, ran.out + ran.err
    assert kit.ssh(host, BLANK) == before
    assert kit.gitlab.runners("blanked") == []
    kit.bootstrap()
    assert kit.job("echo again")["state"] == "success"
