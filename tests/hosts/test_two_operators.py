"""Two operators at one host: the second is told, or waits; and a lock never outlives its run."""

import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from runnerkit.errors import KitError
from runnerkit.machine import lock
from runnerkit.machine.machine import Machine
from runnerkit.machine.ssh import connection
from sandbox import daemon
from sandbox.world import BlankHost, World
from tests.hosts.conftest import Blank
from tests.hosts.kit import HEEDING, Kit
from tests.hosts.refusals import held

ALICE = "alice@desk since 2031-05-06 07:08:09 UTC for runner.upgrade"


@contextmanager
def working(kit: Kit, host: BlankHost) -> Iterator[subprocess.Popen[str]]:
    """Alice is at work there."""
    beats = f"(echo '{ALICE}'; while read -r _; do echo; done)"
    with held(kit, host, f"{beats} | {{ {lock.script(silence=600)}\n}}") as run:
        yield run


@contextmanager
def waiting(kit: Kit) -> Iterator[subprocess.Popen[str]]:
    """A run that has told that it waits for Alice."""
    command, env = kit.command("image.prune", "--host", "all", "--wait")
    with subprocess.Popen(
        [*HEEDING, *command], env=env, cwd=kit.folder, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as run:  # fmt: skip
        assert run.stderr
        guard = threading.Timer(60, run.kill)
        guard.start()
        assert any(f"waiting for {ALICE}" in line for line in run.stderr)
        guard.cancel()
        yield run


def test_a_second_run_waits_and_says_for_whom(kit: Kit, blank: Blank) -> None:
    host = blank("docker")
    kit.settings(host)
    with working(kit, host) as alice:
        refused = kit.run("image.prune", "--host", "all")
        assert refused.code == 1 and f"another run holds the host: {ALICE}" in refused.err
        assert "--wait" in refused.err
        with waiting(kit) as run:
            run.send_signal(signal.SIGINT)
            assert run.wait(30) == 130
        with waiting(kit) as run:
            assert alice.stdin
            alice.stdin.close()
            out, err = run.communicate(timeout=60)
            assert run.returncode == 0, out + err
    assert kit.run("image.prune", "--host", "all", "--only-failed").out.startswith(
        "image.prune failed on none"
    )


def machine(world: World, host: BlankHost, user: str) -> Machine:
    known = str(world.state / "known_hosts")
    return Machine(connection.connection(f"{user}@{host.address}", str(host.key), known, False))


def silenced(world: World, host: BlankHost, run: Machine) -> None:
    """Nothing of this run's comes to the host or back, and nobody is told."""
    assert run.transport
    assert isinstance(run.transport.sock, socket.socket)
    sock = run.transport and run.transport.sock
    assert isinstance(sock, socket.socket)
    port = sock.getsockname()[1]
    container = daemon.running().containers.get(world.names.container(f"host-{host.name}"))
    inside = ["nsenter", "-t", str(container.attrs["State"]["Pid"]), "-n", "iptables", "-w", "-A"]
    for rule in (["INPUT", "-p", "tcp", "--sport"], ["OUTPUT", "-p", "tcp", "--dport"]):
        subprocess.run([*inside, *rule, str(port), "-j", "DROP"], check=True)


@pytest.mark.long
@pytest.mark.parametrize(("user", "seconds"), [("root", 6), ("ops", 6), ("root", lock.SILENCE)])
def test_a_lock_goes_with_a_network_that_dies_without_a_word(
    world: World, blank: Blank, monkeypatch: pytest.MonkeyPatch, user: str, seconds: int
) -> None:
    monkeypatch.setattr(lock, "SILENCE", seconds)
    monkeypatch.setattr(lock, "LEASE", seconds * lock.LEASE / 60)
    monkeypatch.setattr(lock, "BEAT", seconds * lock.BEAT / 60)
    host = blank("plain")
    first, second = machine(world, host, user), machine(world, host, user)
    mine = lock.take(first, "alice@desk", print)
    begun, script = threading.Event(), f"echo begun; sleep {seconds * 2}; echo whole >/root/done"

    def work() -> None:
        with pytest.raises(KitError, match="the connection broke"):
            first.run(lock.alone(script, mine.owner), line=lambda _: begun.set())
        over.set()

    over = threading.Event()
    threading.Thread(target=work, daemon=True).start()
    assert begun.wait(30)
    silenced(world, host, first)
    whom: list[str] = []
    theirs = lock.take(second, "bob@desk", whom.append, wait=True)
    assert (
        whom[0].startswith("alice@desk") and whom[-1] == "what a cut-off run left going on the host"
    )
    assert second.run("cat /root/done") == "whole\n", "what had begun has ended"
    assert over.is_set(), "the first knew it before"
    with pytest.raises(KitError, match="nothing was heard of the host"):
        mine.check()
    with pytest.raises(KitError, match="lost the host's lock"):  # were it to come late
        second.run(lock.alone("touch /root/late", mine.owner))
    theirs.check()
    for one in (theirs, second, first):
        one.close()
