"""SSH's own parts: known hosts as ssh-keygen finds them, keys in ssh's order, channels that close."""

import base64
import contextlib
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest
from paramiko.common import MSG_CHANNEL_CLOSE, MSG_CHANNEL_DATA, MSG_CHANNEL_EOF

from runnerkit.errors import KitError
from runnerkit.machine import local
from runnerkit.machine.machine import Machine
from runnerkit.machine.ssh import connection, known_hosts
from runnerkit.machine.ssh.channel import Lead, Transport
from runnerkit.machine.ssh.hop import Hop
from runnerkit.machine.ssh.host_keys import Guard
from runnerkit.machine.ssh.once import Once
from sandbox import keys

NAMES = ["ci1", "ci2.example.com", "10.0.0.1", "2001:db8::1", "[ci1]:2200", "bad.example.com"]
LINES = [
    "ci1 KEY",
    "CI1,other KEY a comment",
    "*.example.com,!bad* KEY",
    "10.0.0.? KEY",
    "[ci1]:2200 KEY",
    "2001:db8::1\tKEY",
    "@revoked ci1 KEY",
    "@cert-authority * KEY",
    "# ci1 KEY",
    "  ci1   KEY",
    "!ci1,* KEY",
    "[ci]1 KEY",
    "*,!10.* KEY",
    "ci1",
    "|1|nonsense KEY",
]


@pytest.mark.parametrize("line", LINES)
def test_a_known_host_is_one_that_ssh_keygen_finds(tmp_path: Path, line: str) -> None:
    file = tmp_path / "known"
    file.write_text(line.replace("KEY", keys.keypair()[1].strip()) + "\n")
    lines = known_hosts.read([str(file)])
    for name in NAMES:
        find = ["ssh-keygen", "-F", name, "-f", str(file)]
        found = subprocess.run(find, capture_output=True, check=False).returncode == 0
        assert any(line.of(name) for line in lines) == found, name


def test_hashed_names_are_known(tmp_path: Path) -> None:
    file = tmp_path / "known"
    file.write_text(f"[ci1]:2200 {keys.keypair()[1]}")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, capture_output=True)
    (line,) = known_hosts.read([str(file)])
    assert line.names.startswith("|1|")
    assert line.of("[ci1]:2200")
    assert not line.of("ci1")


def public(line: str) -> paramiko.PKey:
    kind, text = line.split()[:2]
    return paramiko.PKey.from_type_string(kind, base64.b64decode(text))


def test_what_lets_a_host_key_pass(tmp_path: Path) -> None:
    ours, other = (f"{keys.keypair()[1].strip()}\n" for _ in range(2))
    file = tmp_path / "known"

    def check(text: str, accept: bool = False, **hop: Any) -> str:
        file.write_text(text)
        one = Hop("ci1", known_hosts=(str(file),), new_keys=str(file), **hop)
        try:
            Guard(one, accept).missing_host_key(None, "", public(ours))
        except KitError as error:
            return error.what
        return ""

    assert check(f"ci1 {ours}") == ""
    assert check(f"ci1 {other}ci1 {ours}") == ""
    assert "has changed" in check(f"ci1 {other}", accept=True)
    assert "unknown host key" in check(f"ci2 {ours}")
    assert "unknown host key" in check(f"@cert-authority * {ours}")
    assert "is revoked" in check(f"ci1 {ours}@revoked * {ours}", accept=True)
    assert "unknown host key" in check(f"@revoked * {other}")
    assert check(f"ci1 {ours}", port=2200) == ""  # known without the port
    assert check(f"ci1 {other}[ci1]:2200 {ours}", port=2200) == ""
    assert check(f"alias {ours}ci1 {other}", known_as="alias", port=2200) == ""
    assert "alias: unknown" in check(f"ci1 {ours}", known_as="alias")
    for strict in ("accept-new", "no", "off", "false"):
        assert check("ci2 x\n", strict=strict, port=2200) == ""
        assert file.read_text() == f"ci2 x\n[ci1]:2200 {' '.join(ours.split()[:2])}\n"
    assert check("", accept=True) == ""
    assert "unknown" in check("", strict="true")


def test_a_known_type_of_key_is_asked_for(tmp_path: Path) -> None:
    rsa = paramiko.RSAKey.generate(1024)
    (file := tmp_path / "known").write_text(f"ci1 ssh-rsa {rsa.get_base64()}\n")
    left, right = socket.socketpair()
    transport = paramiko.Transport(left)
    Guard(Hop("ci1", known_hosts=(str(file),)), False).prefer(transport)
    types = transport.get_security_options().key_types
    assert set(types[:2]) == {"rsa-sha2-512", "rsa-sha2-256"}
    assert "ssh-ed25519" in types
    left.close()
    right.close()


@pytest.mark.parametrize(
    ("first", "send"),
    [
        (MSG_CHANNEL_DATA, lambda lead: lead.send(b"data")),
        (MSG_CHANNEL_DATA, lambda lead: lead.sendall(b"data")),
        (MSG_CHANNEL_EOF, lambda lead: lead.shutdown(socket.SHUT_WR)),
    ],
)
def test_a_close_waits_for_what_is_being_sent(first: int, send: Callable[[Lead], object]) -> None:
    """sshd ends a whole connection for what comes after a channel's close."""
    sent: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    class Slow:
        active = True

        def _send_user_message(self, message: paramiko.Message) -> None:
            kind = message.asbytes()[0]
            if kind == first:
                begun.set()
                assert go_on.wait(10)
            sent.append(kind)

        def get_log_channel(self) -> str:
            return "paramiko"

        def _sanitize_packet_size(self, size: int) -> int:
            return size

        def _unlink_channel(self, number: int) -> None:
            done.set()

    done = threading.Event()
    channel = paramiko.Channel(1)
    channel._set_transport(Slow())  # type: ignore[attr-defined]
    channel._set_window(1 << 20, 1 << 15)  # type: ignore[attr-defined]
    channel._set_remote_channel(1, 1 << 20, 1 << 15)  # type: ignore[attr-defined]
    sender = threading.Thread(target=send, args=(Lead(channel),))
    sender.start()
    assert begun.wait(10)
    Transport._channel_handler_table[MSG_CHANNEL_CLOSE](channel, paramiko.Message())
    assert not sent
    go_on.set()
    sender.join(10)
    assert done.wait(10)
    Lead(channel).close()
    assert sent[0] == first
    assert MSG_CHANNEL_CLOSE in sent[1:]


def test_what_many_want_is_made_once_and_again_when_it_is_gone() -> None:
    made: list[str] = []

    def make(name: str) -> list[str]:
        made.append(name)
        if name == "bad":
            raise KitError("no")
        return [name]

    once = Once(make, lambda value: not value)
    first = once("a")
    assert once("a") is first
    first.clear()
    assert once("a") == ["a"]
    for _ in range(2):
        with pytest.raises(KitError):
            once("bad")
    assert made == ["a", "a", "bad"]
    assert once.values() == [["a"]]


def test_a_host_that_prints_without_end_is_stopped() -> None:
    with pytest.raises(KitError, match="printed more than 16 MB") as error:
        Machine(local.context()).run("yes")
    assert "login shell" in error.value.fix


@pytest.fixture
def closing() -> Iterator[tuple[int, list[str]]]:
    """A port that closes each connection before it greets, and who has come."""
    came: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def close() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    came.append("once")
                    connection.close()

        thread = threading.Thread(target=close, daemon=True)
        thread.start()
        yield server.getsockname()[1], came
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_one_that_closes_before_it_greets_is_tried_again_for_a_while(
    closing: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "BUSY", 0.5)
    port, came = closing
    with pytest.raises(KitError, match="closes the connection before it greets") as error:
        Machine(connection.connection(f"root@127.0.0.1:{port}", "", "/none", False)).run("true")
    assert "MaxStartups" in error.value.fix
    assert len(came) > 1


def test_what_trying_again_cannot_mend_is_told_at_once(
    closing: tuple[int, list[str]], tmp_path: Path
) -> None:
    port, came = closing
    (known := tmp_path / "known").write_text("other ssh-ed25519 A\n")
    with pytest.raises(KitError, match="not a host key"):
        Machine(connection.connection(f"root@127.0.0.1:{port}", "", str(known), False)).run("true")
    assert len(came) <= 1


@pytest.mark.parametrize("host", ["ci..example.com", ".example.com", "a" * 64])
def test_what_can_be_no_name_is_no_host(host: str) -> None:
    with pytest.raises(KitError, match="no such host"):
        Machine(connection.connection(f"ci@{host}", "", "", accept=False)).run("")


def test_a_host_that_does_not_answer_is_told_with_the_limit_that_was_kept() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:  # connects, and never greets
        hop = Hop("127.0.0.1", server.getsockname()[1], "a", timeout=1)
        silent = connection.Routes()._connection(hop, "ci1")
        with pytest.raises(KitError, match="ci1: no answer within 1 s"):
            silent.open()


def test_a_limit_of_the_system_s_own_is_not_told_as_ours() -> None:
    hop = Hop("ci1", timeout=600)
    one = connection.Routes()._connection(hop, "ci1")
    final = one._final(TimeoutError(110, "Connection timed out"))
    assert isinstance(final, KitError)
    assert final.what == "ci1: no answer"
