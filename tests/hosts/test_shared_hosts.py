"""A job that attacks its host: what a trusted runner gives away, and a shared one does not."""

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.world import BlankHost, World
from tests.hosts.kit import CONFIG, RESTART, Kit

# What somebody wrote into config.toml because one project needed it once.
GENEROUS: dict[str, Any] = {
    "volumes": ["/cache", "/var/run/docker.sock:/var/run/docker.sock", "/:/host:ro"],
    "cap_add": ["SYS_ADMIN"],
    "pid_mode": "host",
}
ATTACKS = {
    "shadow": "cat /host/etc/shadow",
    "cache": "grep -q theirs /host/var/lib/docker/volumes/*project-9999*/_data/cache.zip",
    "socket": "test -S /var/run/docker.sock",
    "mount": "mount -t tmpfs none /mnt",
    "device": "mknod /tmp/disk b 7 0",
    "setuid": "grep -q 'NoNewPrivs:.0' /proc/self/status",
    "metadata": "timeout 5 bash -c 'read -r role </dev/tcp/169.254.169.254/80; test $role = root'",
}
# The log has the script too, so what it prints is not what stands there.
SCRIPT = [f"if {attack}; then echo {name} o''pen; fi" for name, attack in ATTACKS.items()]
# A cloud's metadata address, by way of a namespace, as packets to it leave a real machine.
METADATA = """set -e
command -v ip >/dev/null || apt-get install -qq -y iproute2 >/dev/null
ip netns add cloud
ip link add cloud type veth peer name machine netns cloud
ip addr add 169.254.169.253/30 dev cloud
ip link set cloud up
ip -n cloud addr add 169.254.169.254/30 dev machine
ip -n cloud link set machine up
ip -n cloud route add default via 169.254.169.253
serve='$all = IO::Socket::INET->new(LocalPort => 80, Listen => 9);
while ($one = $all->accept) { print $one "root\n"; close $one }'
setsid ip netns exec cloud perl -MIO::Socket::INET -e "$serve" </dev/null >/dev/null 2>&1 &
until timeout 1 bash -c 'read -r role </dev/tcp/169.254.169.254/80; test $role = root' 2>/dev/null
do sleep 0.1; done"""


@pytest.fixture(scope="module")
def host(world: World) -> Iterator[BlankHost]:
    yield world.host("shared1", "systemd")
    world.remove("shared1")


def opened(kit: Kit) -> list[str]:
    """The attacks of a job that came through."""
    trace = kit.job(*SCRIPT)["trace"]
    return [name for name in ATTACKS if f"{name} open" in trace]


def shared(kit: Kit, host: BlankHost) -> None:
    kit.settings(host, runners={"web": {"hardening": "shared", "docker": kit.world.own_helper}})


def test_what_a_generous_entry_gives_away_a_shared_one_takes_back(
    kit: Kit, host: BlankHost
) -> None:
    docker = {**kit.world.own_helper, **GENEROUS}
    kit.settings(host, runners={"web": {"docker": docker}})
    kit.new_token()
    kit.bootstrap()
    kit.ssh(host, METADATA)
    # As the runner keeps the cache of another project's jobs.
    volume = "runner-t-project-9999-concurrent-0-cache-1"
    kit.ssh(
        host,
        f"""docker volume create {volume}
        echo theirs >/var/lib/docker/volumes/{volume}/_data/cache.zip""",
    )
    trusted = opened(kit)
    shared(kit, host)
    plan = kit.plan()
    assert plan.titles[0] == f"write {CONFIG}"
    assert "close the metadata address to containers" in plan.titles
    for line in ("-    cap_add", "docker.sock", "+    security_opt"):
        assert line in plan.out
    kit.bootstrap()
    kit.settled()
    assert trusted == list(ATTACKS)
    assert opened(kit) == []
    assert kit.plan().titles == []
    # An image that another project's job has pulled.
    kit.ssh(host, "docker tag tester acme/private:1")
    job = kit.job("true", image="acme/private:1")
    assert job["state"] == "failed"
    assert "disallowed image" in job["trace"]
    assert kit.job("true", image="tester")["state"] == "success"


def test_the_rule_is_back_after_docker_and_after_somebody_flushed_it(
    kit: Kit, host: BlankHost
) -> None:
    rule = "iptables -C DOCKER-USER -d 169.254.169.254 -j REJECT && echo closed || echo open"
    kit.ssh(host, f"iptables -F DOCKER-USER; {RESTART}")
    assert kit.ssh(host, rule) == "closed\n"
    kit.ssh(host, f"rm {CONFIG}; iptables -F DOCKER-USER")
    kit.new_token()  # the test before had one of its own
    shared(kit, host)
    assert "close the metadata address to containers" in kit.bootstrap().titles
    assert kit.plan().titles == []
    assert kit.ssh(host, rule) == "closed\n"


def test_where_names_are_resolved_at_that_address_only_its_web_server_is_closed(
    kit: Kit, host: BlankHost
) -> None:
    show = "iptables -S DOCKER-USER | grep -F 169.254.169.254"
    close = "sh /usr/local/lib/runnerkit/metadata close"
    before = kit.ssh(host, f"cat /etc/resolv.conf; {show} >&2")
    kit.ssh(host, f"echo nameserver 169.254.169.254 >>/etc/resolv.conf; {close}; {close}")
    (only,) = kit.ssh(host, show).splitlines()
    assert "-p tcp" in only
    assert "--dport 80" in only
    kit.ssh(host, f"cat >/etc/resolv.conf <<'END'\n{before}END\n{close}")
    (only,) = kit.ssh(host, show).splitlines()
    assert "dport" not in only


def test_a_setting_opens_it_and_leaves_nothing_behind(kit: Kit, host: BlankHost) -> None:
    kit.ssh(host, f"rm {CONFIG}")
    kit.new_token()
    web = {"hardening": "shared", "docker": kit.world.own_helper}
    kit.settings(host, runners={"web": web}, docker={"metadata": "open"})
    kit.bootstrap()
    left = "iptables -S DOCKER-USER; ls /usr/local/lib/runnerkit /etc/systemd/system"
    found = kit.ssh(host, left, check=False)
    assert "-N DOCKER-USER" in found
    assert "metadata" not in found
    assert "169.254.169.254" not in found
