"""A host that is not as it must be, and what only the host can tell: clear words, and no harm."""

import re
import subprocess
import threading
from collections.abc import Callable, Iterator

import pytest

from runnerkit.errors import KitError
from runnerkit.machine import lock
from runnerkit.machine.machine import Machine
from runnerkit.machine.ssh import connection
from sandbox import daemon
from sandbox.world import BlankHost, World
from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit
from tests.hosts.refusals import assert_error, changed, held, refused

DAEMON = "/etc/docker/daemon.json"


@pytest.fixture(scope="module")
def bare(world: World) -> Iterator[BlankHost]:
    """A host without Docker that no test here changes."""
    yield world.host("badbare", "plain")
    world.remove("badbare")


@pytest.fixture(scope="module")
def box(world: World) -> Iterator[BlankHost]:
    """A host with Docker and nothing else that no test here changes."""
    yield world.host("badhost", "docker")
    world.remove("badhost")


@pytest.fixture(scope="module")
def hosts(bare: BlankHost, box: BlankHost) -> dict[str, BlankHost]:
    return {"bare": bare, "box": box}


def shadow(path: str, script: str) -> tuple[str, str]:
    """Put a script before a program of the host, and take it away."""
    return f"cat >{path} <<'END'\n#!/bin/sh\n{script}\nEND\nchmod 755 {path}", f"rm {path}"


def system(name: str) -> tuple[str, str]:
    """Make a host say that it is of another distribution."""
    put = f"rm /etc/os-release\necho 'ID={name}\nVERSION_ID=9\nPRETTY_NAME=\"{name} 9\"' >/etc/os-release"
    return put, "ln -sf ../usr/lib/os-release /etc/os-release"


OLD = """case $1 in
info) echo '{"ServerVersion":"18.09.1"}' ;;
version) echo '{"ApiVersion":"1.39","MinAPIVersion":"1.12"}' ;;
*) exec /usr/bin/docker "$@" ;;
esac"""
WRONG: dict[str, tuple[str, tuple[str, str], str, str]] = {
    "not Linux": (
        "bare", shadow("/usr/local/bin/uname", '/bin/uname "$@" | sed s/Linux/FreeBSD/'),
        "the host runs FreeBSD, not Linux", "choose a Linux machine",
    ),
    "no package known": (
        "bare", system("void"), "void 9 has no Docker package", "static binaries",
    ),
    "no os-release": (
        "bare",
        (
            "mv /usr/lib/os-release /var/tmp/; : >/var/tmp/none; ln -sf /var/tmp/none /etc/os-release",
            "mv /var/tmp/os-release /usr/lib/; ln -sf ../usr/lib/os-release /etc/os-release",
        ),
        "without a name in its os-release", "put /etc/os-release back",
    ),
    "only docker-ce known": (
        "bare", system("rhel"), "rhel 9 has no Docker package", 'source = "docker-ce"',
    ),
    "an engine too old": (
        "box", shadow("/usr/local/bin/docker", OLD),
        "Docker Engine 18.09.1 is too old: it speaks API 1.39", "upgrade Docker",
    ),
    "a daemon.json that is not JSON": (
        "box", (f"echo '{{\"debug\": true,}}' >{DAEMON}", f"rm {DAEMON}"),
        f"{DAEMON} on the host is not JSON", "repair it there",
    ),
    "a daemon.json that is a list": (
        "box", (f"echo '[]' >{DAEMON}", f"rm {DAEMON}"),
        f"{DAEMON} on the host is not a JSON object", "repair it there",
    ),
}  # fmt: skip


@pytest.mark.parametrize("task", ["plan", "bootstrap"])
@pytest.mark.parametrize("what", WRONG)
def test_a_host_that_is_not_as_it_must_be(
    hosts: dict[str, BlankHost], kit: Kit, what: str, task: str
) -> None:
    which, (do, undo), output, fix = WRONG[what]
    host = hosts[which]
    kit.settings(host)
    kit.env["RUNNER_TOKEN"] = "glrt-never-used-0123456789"
    with changed(kit, host, do, undo):
        refused(kit, host, output, fix=fix, task=task)


@pytest.mark.parametrize("task", ["plan", "bootstrap"])
def test_podman_under_the_name_of_docker(kit: Kit, bare: BlankHost, task: str) -> None:
    kit.settings(bare)
    kit.new_token()
    with changed(kit, bare, *shadow("/usr/bin/docker", 'exec /usr/bin/podman "$@"')):
        ran = kit.run(task, "--host", "all")
    assert_error(kit, ran, "docker on the host is Podman", fix="remove podman-docker")


def test_docker_that_should_be_present_and_is_not(kit: Kit, bare: BlankHost) -> None:
    kit.settings(bare, docker={"source": "present"})
    kit.new_token()
    refused(kit, bare, "no Docker on the host", fix='source = "distro"')


def test_a_disk_too_full(kit: Kit, box: BlankHost) -> None:
    kit.settings(box, docker={"min_free_mb": 10**9})
    kit.new_token()
    refused(kit, box, "the disk is too full", "1000000000 needed", fix="min_free_mb")


@pytest.mark.parametrize("which", ["bare", "box"])
def test_a_mirror_that_does_not_answer(hosts: dict[str, BlankHost], kit: Kit, which: str) -> None:
    host = hosts[which]
    mirror = f"{kit.world.mirror_url.rpartition(':')[0]}:1"
    kit.settings(host, docker={"registry_mirrors": [mirror]})
    kit.new_token()
    refused(kit, host, f"registry mirror {mirror} does not answer", fix="registry_mirrors")


def test_a_package_mirror_that_does_not_answer(kit: Kit, bare: BlankHost) -> None:
    mirror = f"{kit.world.mirror_url.rpartition(':')[0]}:1"
    kit.settings(bare, docker={"source": "docker-ce", "package_mirror": mirror})
    kit.new_token()
    refused(kit, bare, f"package mirror {mirror} does not answer", fix="package_mirror")


def test_a_second_operator_is_told_who_is_at_work_since_when(kit: Kit, box: BlankHost) -> None:
    kit.settings(box)
    kit.new_token()
    first = f"(echo 'alice@desk since 2031-05-06 07:08:09 UTC'; cat) | {{ {lock.script()} }}"
    with held(kit, box, first):
        output = "another run holds the host: alice@desk since 2031-05-06 07:08:09 UTC"
        refused(kit, box, output, fix="wait for it to end")
        assert kit.plan().code == 2  # looking is free


def test_a_host_that_is_gone_without_a_word_is_not_waited_for(
    world: World, blank: Blank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "KEEPALIVE", 1)
    monkeypatch.setattr(connection, "GONE", 3)
    host = blank("plain")
    known = str(world.state / "known_hosts")
    machine = Machine(connection.connection(f"root@{host.address}", str(host.key), known, False))
    network = daemon.running().networks.get(world.names.sandbox)
    container = world.names.container(f"host-{host.name}")

    def cut(_: str) -> None:
        network.disconnect(container, force=True)

    def waits() -> None:
        with pytest.raises(KitError, match="the connection broke"):
            machine.run("echo begun; sleep 3600", line=cut)
        output.set()

    output = threading.Event()
    threading.Thread(target=waits, daemon=True).start()
    assert output.wait(60), "it is still waited for"
    network.connect(container)
    with pytest.raises(KitError, match="the connection broke"):  # the host's lock went with it
        machine.run("true")


DPKG = r"""perl -e '
use Fcntl; open(my $f, "+<", "/var/lib/dpkg/lock-frontend") or die;
my $lock = pack("s s x4 q q l x4", F_WRLCK, 0, 0, 0, 0);
fcntl($f, F_SETLK, $lock) or die; $| = 1; print "held\n"; <STDIN>'"""


def test_a_package_manager_at_work_is_waited_for(kit: Kit, blank: Blank) -> None:
    host = blank("plain")
    kit.settings(host)
    kit.new_token("waited")
    command, env = kit.command("bootstrap", "--host", "all")
    with held(kit, host, DPKG) as other, subprocess.Popen(
        command, env=env, cwd=kit.folder, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as run:  # fmt: skip
        assert run.stderr is not None and other.stdin is not None
        guard = threading.Timer(180, run.kill)
        guard.start()
        seen = list(until(run.stderr.readline, "lock"))
        guard.cancel()
        assert re.search(r"(?i)waiting.*lock", seen[-1]), "".join(seen)

        output = r"another run holds the host: \S+@\S+ since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"
        assert re.search(output, refused(kit, host, fix="wait for it to end"))

        other.stdin.close()
        out, err = run.communicate(timeout=180)
        assert run.returncode == 0, out + err


def until(line: Callable[[], str], word: str) -> Iterator[str]:
    """The lines up to the one with that word."""
    for output in iter(line, ""):
        yield output
        if word in output:
            return
