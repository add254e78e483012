"""Hosts behind jump hosts, on real sshds: all of them answer, and what is wrong on the way is told."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from sandbox import keys
from sandbox.world import BlankHost, World
from tests.hosts.kit import Kit
from tests.hosts.refusals import assert_error
from tests.hosts.test_killed import in_host

PORTS = count(2200)
COMMAND = "ssh -F none -i KEY -o UserKnownHostsFile=STATE/known_hosts -W %h:%p root@BOX"


class Sshd:
    """One more sshd on a host, with a log of its own."""

    def __init__(self, kit: Kit, host: BlankHost, *options: str) -> None:
        self.port, self._kit, self._host = next(PORTS), kit, host
        self._log = f"/run/sshd-{self.port}.log"
        more = " ".join(f"-o {one}" for one in (*options, "LogLevel=VERBOSE"))
        kit.ssh(host, f"/usr/sbin/sshd -p {self.port} -E {self._log} {more}")

    @property
    def logins(self) -> int:
        return len(re.findall("Accepted publickey", self.log))

    @property
    def log(self) -> str:
        return self._kit.ssh(self._host, f"cat {self._log}")


@pytest.fixture(scope="module")
def box(world: World) -> Iterator[BlankHost]:
    """One machine is all of them: its sshd at port 22 the hosts', others the jump hosts'."""
    yield world.host("jumps", "plain")
    world.remove("jumps")


@pytest.fixture
def reach(kit: Kit, box: BlankHost) -> Callable[..., None]:
    """Write ssh's settings, and make aliases of them the hosts."""
    (kit.folder / ".ssh").mkdir()
    kit.env["HOME"] = str(kit.folder)
    kit.new_token()

    def write(text: str, *names: str, **more: str) -> None:
        known = f"UserKnownHostsFile {kit.world.state}/known_hosts"
        all_ = f"Host *\n  User root\n  IdentityFile {box.key}\n  {known}\n"
        words = {
            "BOX": box.address,
            "STATE": str(kit.world.state),
            "KEY": str(box.key),
            "FOLDER": str(kit.folder),
        }
        for word, value in (words | more).items():
            text = text.replace(word, value)
        (kit.folder / ".ssh" / "config").write_text(text + all_)
        kit.settings(hosts={name: {"address": name} for name in names}, ssh={"known_hosts": ""})

    return write


def behind(bast: Sshd, number: int, port: int = 22) -> tuple[str, list[str]]:
    """Settings with a jump host, and aliases of hosts behind it, each by an address of its own."""
    names = [f"in{one}" for one in range(number)]
    hosts = "".join(f"Host in{one}\n  HostName 127.0.1.{one + 1}\n" for one in range(number))
    text = f"Host bast\n  HostName BOX\n  Port {bast.port}\n"
    return f"{text}{hosts}Host in*\n  Port {port}\n  ProxyJump bast\n  HostKeyAlias BOX\n", names


def answers(kit: Kit, names: list[str]) -> None:
    ran = kit.plan()
    assert {name: ran.hosts[name]["error"] for name in names} == dict.fromkeys(names)


@pytest.mark.parametrize("number", [16, pytest.param(50, marks=pytest.mark.long)])
def test_all_hosts_behind_one_jump_host_answer(
    kit: Kit, box: BlankHost, reach: Callable[..., None], number: int
) -> None:
    """By one login to the jump host, which allows no session; the hosts' sshd drops many at once."""
    bast = Sshd(kit, box, "MaxStartups=1:100:1", "MaxSessions=0")
    text, names = behind(bast, number)
    reach(text, *names)
    answers(kit, names)
    assert bast.logins == 1


@pytest.mark.parametrize("way", ["HostName BOX\n  Port BUSY", f"ProxyCommand {COMMAND} -p BUSY"])
def test_what_sshd_drops_is_tried_again(
    kit: Kit, box: BlankHost, reach: Callable[..., None], way: str
) -> None:
    busy = Sshd(kit, box, "MaxStartups=2:50:4")
    names = [f"127.0.2.{number}" for number in range(1, 17)]
    reach(f"Host 127.*\n  HostKeyAlias BOX\n  {way}\n", *names, BUSY=str(busy.port))
    answers(kit, names)
    assert busy.logins == 16
    assert "drop" in busy.log  # so that the test is one


def test_a_chain_is_gone_in_ssh_s_order(
    kit: Kit, box: BlankHost, reach: Callable[..., None]
) -> None:
    """Each jump host leads to the next one alone."""
    last = Sshd(kit, box, "PermitOpen=127.0.0.9:22")
    first = Sshd(kit, box, f"PermitOpen=127.0.0.8:{last.port}")
    reach(
        f"Host one\n  HostName BOX\n  Port {first.port}\n"
        f"Host two\n  HostName 127.0.0.8\n  Port {last.port}\n  HostKeyAlias BOX\n"
        "Host far # behind both\n  HostName 127.0.0.9\n  HostKeyAlias BOX\n"
        "  ProxyJump root@one,two\n",
        "far",
    )
    answers(kit, ["far"])
    assert (first.logins, last.logins) == (1, 1)


def test_a_proxy_command_is_run(kit: Kit, box: BlankHost, reach: Callable[..., None]) -> None:
    reach(f"Host in\n  HostName 127.0.0.1\n  HostKeyAlias BOX\n  ProxyCommand {COMMAND}\n", "in")
    answers(kit, ["in"])


JUMP = "Host bast\n  HostName BOX\n  Port PORT\n  HostKeyAlias bast.BOX\n"
IN = "Host in\n  HostName 127.0.0.1\n  HostKeyAlias BOX\n  ProxyJump bast\n"
BAD = {
    "forwarding refused": (
        "AllowTcpForwarding=no",
        JUMP.replace("bast.BOX", "BOX") + IN,
        "jump host root@BOX:PORT: its sshd refuses to forward to 127.0.0.1:22",
        "AllowTcpForwarding yes in the jump host's",
    ),
    "an unknown jump host": (
        "",
        JUMP + IN,
        "jump host bast.BOX: unknown host key",
        "--accept-new-host-keys",
    ),
    "a port that is closed behind it": (
        "",
        JUMP.replace("bast.BOX", "BOX") + IN.replace("Jump", "Jump") + "Host in\n  Port 1\n",
        "jump host root@BOX:PORT: cannot connect to 127.0.0.1:1 from there",
        "sshd listens",
    ),
    "no key for the jump host": (
        "AuthorizedKeysFile=/none",
        JUMP.replace("bast.BOX", "BOX") + IN,
        "jump host root@BOX:PORT: the host refuses this user or key",
        "authorized_keys",
    ),
    "a command that leads nowhere": (
        "",
        "Host in\n  ProxyCommand echo no such way >&2\n",
        "its ProxyCommand leads nowhere: no such way",
        "try it by hand: echo no such way",
    ),
    "settings that nobody can parse": (
        "",
        "Host in\n  Prot 22\n",
        "FOLDER/.ssh/config: line 2: Bad configuration option: prot",
        "correct that line",
    ),
}


@pytest.mark.parametrize("row", BAD)
def test_what_is_wrong_on_the_way_is_told(
    kit: Kit, box: BlankHost, reach: Callable[..., None], row: str
) -> None:
    option, text, what, fix = BAD[row]
    port = str(Sshd(kit, box, *([option] if option else [])).port)
    reach(text, "in", PORT=port)
    for word, value in (("BOX", box.address), ("PORT", port), ("FOLDER", str(kit.folder))):
        what = what.replace(word, value)
    assert_error(kit, kit.run("plan", "--host", "in"), what, fix=fix)


def test_a_revoked_host_key_is_refused(
    kit: Kit, box: BlankHost, reach: Callable[..., None]
) -> None:
    key = kit.ssh(box, "cat /etc/ssh/ssh_host_ed25519_key.pub").strip()
    revoked = f"the host key {key.split()[0]} SHA256:"
    for known, settings in (
        (f"* {key}\n@revoked * {key}\n", ""),
        (f"* {key}\n", "RevokedHostKeys FOLDER/revoked\n"),
    ):
        (kit.folder / "known").write_text(known)
        (kit.folder / "revoked").write_text(f"{key}\n")
        reach(f"{settings}UserKnownHostsFile FOLDER/known\nHost in\n  HostName BOX\n", "in")
        ran = kit.run("plan", "--host", "in", "--accept-new-host-keys")
        assert_error(kit, ran, revoked, "is revoked in", fix="the host needs a new key")


def test_a_new_key_is_accepted_where_ssh_s_settings_say_so(
    kit: Kit, box: BlankHost, reach: Callable[..., None]
) -> None:
    known = kit.folder / "new" / "known"
    options = f"StrictHostKeyChecking accept-new\nUserKnownHostsFile {known}\n"
    reach(f"{options}HostKeyAlias mine\nHost in\n  HostName BOX\n", "in")
    answers(kit, ["in"])
    assert known.read_text().startswith("mine ssh-ed25519 ")
    known.write_text(f"mine {keys.keypair()[1]}\n")
    assert_error(kit, kit.run("plan", "--host", "in"), "mine: the host key has changed")


def test_the_agent_that_the_settings_name_logs_in(
    kit: Kit, box: BlankHost, reach: Callable[..., None], agent: Path
) -> None:
    """Not the one of SSH_AUTH_SOCK, and by that of its keys which the settings name."""
    public = kit.folder / "named.pub"
    public.write_text(box.key.with_suffix(".pub").read_text())
    reach(
        f"Host in\n  HostName BOX\n  IdentityAgent {agent}\n  IdentitiesOnly yes\n"
        f"  IdentityFile {public}\nHost none\n  HostName BOX\n  IdentityAgent none\n"
        "Host many\n  HostName BOX\n  IdentityFile /none\n",
        "in",
        "none",
        "many",
    )
    file = kit.folder / ".ssh" / "config"
    file.write_text(file.read_text().replace(f"  IdentityFile {box.key}\n", ""))
    kit.env["SSH_AUTH_SOCK"] = str(agent)
    ran = kit.plan()
    assert ran.hosts["in"]["error"] is None
    assert "refuses this user or key" in ran.hosts["none"]["error"]
    assert "closed the connection while keys were tried" in ran.hosts["many"]["error"]


@pytest.fixture
def agent(kit: Kit, box: BlankHost) -> Iterator[Path]:
    """An agent with eight keys, of which the last one is the hosts'."""
    socket = kit.folder / "agent"
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL) as one:
        while not socket.exists():
            assert one.poll() is None
        for number in range(7):
            keys.write(kit.folder / f"other{number}", keys.keypair()[0])
        files = [*(str(kit.folder / f"other{number}") for number in range(7)), str(box.key)]
        env = {"SSH_AUTH_SOCK": str(socket), "PATH": os.environ["PATH"]}
        subprocess.run(["ssh-add", "-q", *files], env=env, check=True)
        yield socket
        one.terminate()


BROKEN = {
    "a look that is cut off": (
        "kill -9 $PPID",
        "the connection broke",
        "see that the host is up",
    ),
    "a look that is killed": ("kill -9 $$", "the script was killed", "ran out of memory"),
    "a look without an end": ("yes", "printed more than 16 MB", "login shell"),
}


@pytest.mark.parametrize("row", BROKEN)
def test_a_look_that_comes_to_nothing_is_told(
    kit: Kit, box: BlankHost, reach: Callable[..., None], row: str
) -> None:
    doing, what, fix = BROKEN[row]
    reach("Host in\n  HostName BOX\n", "in")
    in_host(kit, box, f"echo '{doing}' >/root/.bashrc")
    try:
        assert_error(kit, kit.run("plan", "--host", "in"), "root@", what, fix=fix)
    finally:
        in_host(kit, box, "rm /root/.bashrc")
