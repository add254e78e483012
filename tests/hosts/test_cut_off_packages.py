"""The kit killed while packages are unpacked: the next run completes them."""

import random
import re
import signal
from collections.abc import Iterator

import pytest

from sandbox.world import BlankHost
from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit
from tests.hosts.test_killed import Running, in_host

SEED = 13  # of the moments
# As a host that loses its power has it: nothing of the installation lives on.
STOP = """for each in /proc/[0-9]*; do
  case ${each#/proc/} in $$ | $PPID) continue ;; esac
  case $(tr '\\0' ' ' <"$each/cmdline" 2>/dev/null) in
    *apt-get* | dpkg* | /usr/bin/dpkg* | *"sshd: root"* | *sshd-session*notty*) kill -9 "${each#/proc/}" 2>/dev/null ;;
  esac
done; :"""


@pytest.fixture
def host(blank: Blank) -> Iterator[BlankHost]:
    yield blank("plain")


def cut(kit: Kit, host: BlankHost, seconds: float) -> None:
    """Begin to install, and stop everything at a moment after the first package is unpacked."""
    running = Running(kit)
    running.until("install Docker")
    in_host(
        kit,
        host,
        f"until grep -q ' unpacked ' /var/log/dpkg.log; do sleep 0.05; done; sleep {seconds}; {STOP}",
    )
    running.process.send_signal(signal.SIGKILL)
    running.end()


@pytest.mark.long
def test_packages_that_were_cut_off_are_completed_by_the_next_run(
    kit: Kit, host: BlankHost
) -> None:
    converges(kit, host, 0)


@pytest.mark.long
@pytest.mark.parametrize("number", range(1, 30))
def test_whenever_they_were_cut_off(kit: Kit, host: BlankHost, number: int) -> None:
    converges(kit, host, number)


def converges(kit: Kit, host: BlankHost, number: int) -> None:
    moment = random.Random(f"{SEED}.{number}").uniform(0, 6)
    kit.settings(host)
    kit.new_token("cut")
    kit.ssh(host, "touch /var/log/dpkg.log")
    cut(kit, host, moment)
    kit.bootstrap()
    assert kit.plan().titles == []
    assert kit.ssh(host, "dpkg --audit; ls /tmp /run | grep runnerkit.look; :") == ""
    assert not re.search("unpacked|half-", kit.ssh(host, "dpkg -l docker.io"))
