"""SSH by Fabric, on the way that ssh's own settings say, by jump hosts that all hosts share."""

import logging
import random
import socket
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import paramiko
from fabric import Config, Connection
from fabric.runners import Remote

from runnerkit.errors import KitError
from runnerkit.machine.ssh import dial, errors
from runnerkit.machine.ssh.channel import Lead, Transport
from runnerkit.machine.ssh.hop import Hop, SshSettings
from runnerkit.machine.ssh.host_keys import Guard
from runnerkit.machine.ssh.keys import Keys
from runnerkit.machine.ssh.once import Once
from runnerkit.machine.streams import Unwatched
from runnerkit.redact import plain

KEEPALIVE = 15  # seconds between signs of life
GONE = 60  # seconds without an answer to one, after which the connection is broken
BEAT = 0.25  # seconds between two looks whether a command's output is still read
BUSY = 20.0  # seconds for which a host that closes before it greets is tried again
PAUSES = (0.1, 2.0)  # seconds: the first and the longest, give or take half
DROPPED = "kex_exchange_identification"  # ssh's word for it, where ssh is the ProxyCommand
logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # we say it ourselves


class Routes:
    """How the hosts of a run are reached: each jump host is connected to once, for all of them.

    Args:
        known_hosts: the file of accepted host keys, in the place of ssh's own; "" for those.
        accept: accept an unknown host key and remember it there.
    """

    def __init__(self, known_hosts: str = "", accept: bool = False) -> None:
        self._settings, self._accept = SshSettings(known_hosts), accept
        self._jumps = Once(self._jump, lambda jump: not jump.is_connected)
        self._closed = threading.Event()

    def connection(self, target: str, identity: str = "") -> Connection:
        """A connection to ``[user@]address[:port]`` or an alias of ssh's settings; not opened yet.

        Args:
            target: the host.
            identity: a private key's file, or "" for ssh's own choice.
        """
        key = Path(identity).expanduser()
        if identity and not key.is_file():
            raise KitError(f"{target}: no key file {key}", "correct identity in the settings")
        hop = self._settings.hop(target, str(key) if identity else "")
        return self._connection(hop, hop.where)

    def close(self) -> None:
        """Close the jump hosts, and try nothing again."""
        self._closed.set()
        for jump in self._jumps.values():
            jump.close()

    def _connection(self, hop: Hop, where: str) -> "_HopConnection":
        via = hop.via
        way = (lambda: self._through(via, hop)) if via else None
        guard = Guard(hop, self._accept, where.removesuffix(hop.where))
        return _HopConnection(hop, where, guard, way, self._closed.wait)

    def _jump(self, hop: Hop) -> "_HopConnection":
        jump = self._connection(hop, where := f"jump host {hop.where}")
        try:
            jump.open()
        except Exception as error:
            raise errors.explain(where, error) or error from None
        return jump

    def _through(self, jump: Hop, hop: Hop) -> Lead:
        to = (hop.host, hop.port)
        transport = self._jumps(jump).transport
        try:
            return Lead(transport.open_channel("direct-tcpip", to, ("", 0), timeout=hop.timeout))
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise errors.forwarding(jump.where, "{}:{}".format(*to), error) from None


def connection(target: str, identity: str, known_hosts: str, accept: bool) -> Connection:
    """A connection that shares nothing with others; see `Routes`."""
    return Routes(known_hosts, accept).connection(target, identity)


class _HopConnection(Connection):  # type: ignore[misc]
    """Fabric's, to a hop; where sshd drops it before it greets (MaxStartups), it is tried again."""

    # Fabric makes settings of what is not an attribute of the class.
    hop: Any = None
    where: Any = None
    guard: Any = None
    way: Any = None
    pause: Any = None
    attempt: Any = None
    stderr: Any = None

    def __init__(
        self,
        hop: Hop,
        where: str,
        guard: Guard,
        way: Callable[[], Lead] | None,
        pause: Callable[[float], bool],
    ) -> None:
        super().__init__(
            hop.host,
            hop.user,
            hop.port,
            config=Config(
                ssh_config=paramiko.SSHConfig(), overrides={"runners": {"remote": _Remote}}
            ),
            gateway=True,  # it is always we who open the socket
            connect_timeout=hop.timeout,
            connect_kwargs={
                "banner_timeout": hop.timeout + KEEPALIVE,  # so that its own limit is told
                "auth_timeout": errors.LOGIN,
                "auth_strategy": Keys(hop),
                "transport_factory": self._transport,
            },
        )
        self.hop, self.where, self.guard = hop, where, guard
        self.way, self.pause = way, pause
        self.client.set_missing_host_key_policy(guard)

    def open(self) -> None:
        end, pause = monotonic() + BUSY, PAUSES[0]
        while not self.is_connected:
            self.attempt = None
            try:
                super().open()
            except Exception as error:
                self.client.close()
                if (final := self._final(error)) or monotonic() > end:
                    raise final or error from None
                if self.pause(pause * random.uniform(0.5, 1.5)):
                    raise
            pause = min(2 * pause, PAUSES[1])

    def open_gateway(self) -> Lead | socket.socket:
        if self.way:
            return self.way()  # type: ignore[no-any-return]
        if self.hop.command:
            self.stderr = tempfile.TemporaryFile()  # noqa: SIM115  # read when it fails
            return dial.command(self.hop, self.stderr)
        return dial.tcp(self.hop, self.hop.timeout)

    def _transport(self, sock: Any, **options: Any) -> Any:
        """One that notices when the host is gone without a word, and does not wait for ever."""
        self.attempt = transport = Transport(sock, **options)
        transport.set_keepalive(KEEPALIVE)
        inet = isinstance(sock, socket.socket) and sock.family != socket.AF_UNIX
        if inet and hasattr(socket, "TCP_USER_TIMEOUT"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE * 1000)
        self.guard.prefer(transport)
        return transport

    def _final(self, error: Exception) -> Exception | None:
        """Why not to try again; None where the connection was dropped before a greeting came."""
        if isinstance(error, TimeoutError) or "No existing session" in str(error):
            gave_up = getattr(error, "errno", None)  # the system, before us
            return errors.silent(self.where, 0 if gave_up else self.hop.timeout)
        greeted = self.attempt is None or self.attempt.remote_version
        if greeted or not isinstance(error, (EOFError, ConnectionError, paramiko.SSHException)):
            return error
        if self.stderr is None:
            return None
        self.stderr.seek(0)
        output = " | ".join(plain(self.stderr.read().decode(errors="replace")).splitlines()[-2:])
        if DROPPED in output:
            return None
        return KitError(
            f"{self.where}: its ProxyCommand leads nowhere: {output or 'it says nothing'}",
            f"try it by hand: {self.hop.command}",
        )


class _Remote(Unwatched, Remote):  # type: ignore[misc]
    @property
    def process_is_finished(self) -> bool:
        """Waited for: Invoke asks every 10 ms, which with many hosts keeps a processor busy."""
        return bool(self.channel.status_event.wait(BEAT))

    def write_proc_stdin(self, data: str) -> None:
        try:
            super().write_proc_stdin(data)
        except OSError:  # the command ended early; its exit code tells why
            return
