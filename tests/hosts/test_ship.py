"""An image of one host on others: the same id, only what each lacks, cut off or refused cleanly."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import docker
import pytest
import tomlkit

from runnerkit.engine import ship, transfer
from runnerkit.engine.registry import NAME, PORT
from sandbox.world import BlankHost, World
from tests.hosts.kit import Kit, Ran
from tests.hosts.shipping import (
    BUILD,
    NEW,
    OLD,
    OTHER_KIND,
    REGISTRY,
    TRANSFER,
    define,
    first_build,
    ids,
    refused,
    rows,
    shipped,
    tidy,
)
from tests.hosts.test_bad_hosts import shadow
from tests.hosts.test_killed import SESSIONS, assert_error, in_host
from tests.hosts.test_local import carry


@pytest.fixture(scope="module")
def fleet(world: World) -> Iterator[list[BlankHost]]:
    """Three hosts with Docker and a registry mirror, no more."""
    names = ["ship1", "ship2", "ship3"]
    with ThreadPoolExecutor() as pool:
        yield list(pool.map(lambda name: world.host(name, "docker"), names))
    for name in names:
        world.remove(name)


@pytest.fixture
def hosts(fleet: list[BlankHost], kit: Kit) -> list[BlankHost]:
    """The same hosts with the first build of the image on the first one alone."""
    return first_build(kit, fleet, 20)


WORDS = ("image.ship", "web", "--from", "ship1", "--host", "all")


def test_the_same_image_on_every_host_and_then_only_what_has_changed(
    kit: Kit, hosts: list[BlankHost]
) -> None:
    kit.settings(*hosts)
    define(kit, 1)
    first = rows(kit.run(*WORDS, "--json"))
    assert first["ship1"]["state"] == "built"
    assert all(21e6 <= first[host]["moved"] < 21.1e6 for host in ("ship2", "ship3"))
    define(kit, 5)
    second = rows(kit.run(*WORDS, "--json"))
    assert all(5e6 <= second[host]["moved"] < 1.2 * 5e6 for host in ("ship2", "ship3"))
    old, new = (f"web:{found['ship1']['hash']}" for found in (first, second))
    assert ids(kit, hosts, old) == {first["ship1"]["id"]}  # the old build keeps its name
    assert ids(kit, hosts, new) | ids(kit, hosts, "web:latest") == {second["ship1"]["id"]}
    third = rows(kit.run(*WORDS, "--json"))
    assert {row["state"] for row in third.values()} == {"unchanged", "there already"}
    tidy(kit, hosts)


def test_the_plain_name_comes_back_without_a_byte(kit: Kit, hosts: list[BlankHost]) -> None:
    shipped(kit, *hosts)
    kit.ssh(hosts[1], "docker rmi web:latest")
    assert shipped(kit, *hosts) == [ship.Moved()] * 2
    assert len(ids(kit, hosts, "web:latest")) == 1


@pytest.mark.long
@pytest.mark.parametrize("cut", ["kit", "connection", "source"])
def test_cut_off_half_way_and_run_again(kit: Kit, hosts: list[BlankHost], cut: str) -> None:
    one, other, _ = hosts
    kit.settings(one, other)
    define(kit, 1)
    old = rows(kit.run(*WORDS, "--json"))["ship1"]["id"]
    define(kit, 60)
    command, env = kit.command(*WORDS)
    running = subprocess.Popen(
        command, env=env, cwd=kit.folder, stdin=subprocess.DEVNULL, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    in_host(kit, other, TRANSFER)
    if cut == "kit":
        os.killpg(running.pid, signal.SIGKILL)
    else:
        in_host(kit, one if cut == "source" else other, SESSIONS)
    out, err = running.communicate(timeout=60)
    if cut != "kit":
        assert_error(Ran(running.returncode, out, err), other, "web:", "run again")
    assert ids(kit, [other], "web:latest") == {old}
    in_host(kit, one, f"while docker ps -q --filter name={NAME} | grep -q .; do sleep 0.05; done")
    assert rows(kit.run(*WORDS, "--json"))["ship2"]["moved"] > 60e6
    (new,) = ids(kit, [one, other], "web:latest")
    assert new != old
    tidy(kit, [one, other])


@pytest.mark.long
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the host's Python is 3.11")
def test_from_this_machine_and_to_it(kit: Kit, hosts: list[BlankHost]) -> None:
    here, other, _ = hosts
    kit.settings(here)
    carry(kit, here)
    kit.settings(other, ssh={"known_hosts": "/kit/known_hosts"})
    kit.data["hosts"][other.name]["identity"] = "/kit/key"
    known = (kit.world.state / "known_hosts").read_text()
    for name, text in (
        ("known_hosts", known),
        ("key", other.key.read_text()),
        ("runnerkit.toml", tomlkit.dumps(kit.data)),
        ("dockerfiles/web/Dockerfile", "FROM scratch\nCOPY layer /\n"),
    ):
        kit.ssh(
            here, f"mkdir -p /kit/dockerfiles/web; umask 77; cat >/kit/{name} <<'END'\n{text}\nEND"
        )

    def run(words: str) -> Ran:
        """Run the kit on the first host; a new layer of 3 MB each time."""
        layer = "head -c 3000000 /dev/urandom >dockerfiles/web/layer"
        kit_ = f"PYTHONPATH=site-packages python3 -m invoke image.ship web {words} --json"
        return Ran(0, kit.ssh(here, f"cd /kit && {layer} && {kit_}"), "")

    assert 3e6 <= rows(run("--host ship2"))["ship2"]["moved"] < 3.1e6
    assert len(ids(kit, [here, other], "web:latest")) == 1
    assert 3e6 <= rows(run("--from ship2 --host local"))["local"]["moved"] < 3.1e6
    assert len(ids(kit, [here, other], "web:latest")) == 1
    tidy(kit, [here, other])


def test_what_a_killed_run_left_is_taken_away(kit: Kit, hosts: list[BlankHost]) -> None:
    one, other, _ = hosts
    shipped(kit, one, other)
    for host, port in ((one, PORT), (other, 40000)):
        kit.ssh(host, f"docker tag {OLD} 127.0.0.1:{port}/runnerkit/{OLD}")
    kit.ssh(one, f"docker create --name {NAME} -v /var/lib/registry {OLD} sh")
    kit.ssh(one, f"docker volume create {NAME}")  # as earlier versions left it
    kit.ssh(one, BUILD.format(NEW, OLD, 1))
    assert shipped(kit, one, other, image=NEW)[0].way == "registry"
    tidy(kit, hosts)


@pytest.mark.parametrize("which", [pytest.param("source", marks=pytest.mark.long), "target"])
def test_where_sshd_does_not_forward_the_engine_saves_and_loads(
    kit: Kit, hosts: list[BlankHost], which: str
) -> None:
    kit.settings(*hosts)
    define(kit, 1)
    conf = "/etc/ssh/sshd_config.d/forward.conf"
    host = hosts[0] if which == "source" else hosts[1]
    kit.ssh(host, f"echo AllowTcpForwarding no >{conf}; systemctl restart ssh")
    try:
        found = rows(kit.run(*WORDS, "--json"))
    finally:
        kit.ssh(host, f"rm {conf}; systemctl restart ssh")
    says = f" MB by save and load (root@{host.address}:22: sshd refuses to forward TCP)"
    assert says in found["ship2"]["state"]
    assert found["ship2"]["moved"] > 21e6
    assert (says in found["ship3"]["state"]) == (which == "source")
    assert len(ids(kit, hosts, "web:latest")) == 1
    tidy(kit, hosts)


def test_without_a_registry_image_the_engine_saves_and_loads(
    kit: Kit, hosts: list[BlankHost]
) -> None:
    (moved,) = shipped(kit, *hosts[:2], registry="nowhere.invalid/registry:2")
    assert moved.way == "save and load"
    assert "cannot pull nowhere.invalid/registry:2" in moved.why
    assert len(ids(kit, hosts[:2], OLD)) == 1
    tidy(kit, hosts)


def test_another_program_on_the_registrys_port_is_never_given_the_image(
    kit: Kit, hosts: list[BlankHost]
) -> None:
    other = f"docker run -d --network host -e REGISTRY_HTTP_ADDR=127.0.0.1:{PORT} {REGISTRY}"
    kit.ssh(hosts[0], other)
    try:
        (moved,) = shipped(kit, *hosts[:2])
    finally:
        kit.ssh(hosts[0], "docker rm -fv $(docker ps -aq)")
    assert moved.way == "save and load"
    assert f"127.0.0.1:{PORT}" in moved.why
    assert "in use" in moved.why


@pytest.mark.long
def test_a_host_without_room_is_refused_before_a_byte_is_sent(
    kit: Kit, hosts: list[BlankHost]
) -> None:
    put, away = shadow("/usr/local/bin/df", f"echo; echo disk 0 0 {30 << 10} 0% /")
    kit.ssh(hosts[1], put)
    try:
        error = refused(kit, *hosts[:2], free=15)
        assert f"30 MB free in /var/lib/docker on the host: {OLD} takes 19 MB more" in error.what
        assert "make room" in error.fix
        assert kit.ssh(hosts[0], "docker ps -aq") == ""
        shipped(kit, *hosts[:2], free=5)
        kit.ssh(hosts[0], BUILD.format(NEW, OLD, 5))
        (moved,) = shipped(kit, *hosts[:2], image=NEW, free=15)  # the rest is there
    finally:
        kit.ssh(hosts[1], away)
    assert moved.way == "registry"


def test_an_image_for_another_kind_of_machine_is_refused(kit: Kit, hosts: list[BlankHost]) -> None:
    kit.ssh(hosts[0], OTHER_KIND)
    error = refused(kit, *hosts[:2], image=NEW)
    assert f"{NEW} is for s390x, the host is " in error.what


@pytest.mark.long
def test_what_arrives_as_another_image_is_refused(
    kit: Kit, hosts: list[BlankHost], monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped(kit, *hosts[:2])
    kit.ssh(hosts[0], BUILD.format(NEW, OLD, 1) + "; echo FROM scratch >D; echo LABEL a=b >>D;"
            "docker build -q -t other -f D .")  # fmt: skip

    def swapped(client: docker.APIClient, reference: str, *rest: Any) -> None:
        name, _, tag = reference.rpartition(":")
        client.tag("other", name, tag, force=True)
        transfer.push(client, reference, *rest)

    monkeypatch.setattr(ship, "push", swapped)
    error = refused(kit, *hosts[:2], image=NEW)
    assert "arrived as sha256:" in error.what
    assert ids(kit, hosts[1:2], "web:latest") == ids(kit, hosts[:1], OLD)
    tidy(kit, hosts)


def test_an_image_that_the_host_has_not_got(kit: Kit, hosts: list[BlankHost]) -> None:
    error = refused(kit, *hosts[:2], image=NEW)
    assert f"has no image {NEW}" in error.what
    assert "inv image.build web" in error.fix
