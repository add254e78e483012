"""The only door to a host: a Fabric Connection is an Invoke Context, so local and SSH are one class.

Everything variable travels by stdin. A script is read whole before it runs, so that no command in
it can eat the rest and half a transfer never runs.
"""

import contextlib
import getpass
import hashlib
import shlex
import socket
from collections.abc import Callable, Iterator
from secrets import token_hex
from typing import TYPE_CHECKING

from invoke.context import Context

from runnerkit.errors import KitError
from runnerkit.machine import local, sudo
from runnerkit.machine.failure import BACK, KILLED, Failed, translated
from runnerkit.machine.streams import AfterMark, Lines, Pipe, Stdin
from runnerkit.printable import clipped
from runnerkit.settings.secrets import Secret

if TYPE_CHECKING:
    import paramiko
    from fabric import Connection

# What comes before "#runnerkit" on stdin is the password's line, which sudo takes only if it asks for
# one; what comes out before the mark is the login shell's own: greetings, titles, warnings.
PRELUDE = 'while IFS= read -r line && [ "$line" != "#runnerkit" ]; do :; done; echo {0}; '
SCRIPT = PRELUDE + (
    'echo {0} >&2; script=$(cat); case $script in *"#end") eval "$script" </dev/null;; '
    '*) echo "the script arrived cut off" >&2; exit 99;; esac'
)
# In English, whatever the host speaks: what sudo says decides.
# The script's first argument is where the login came from, which sudo would take away.
ROOT = (
    'export LC_ALL=C; set -- "$1" "$0" "${SSH_CONNECTION%%%% *}"; '
    'if [ "$(id -u)" = 0 ]; then exec sh -c "$@"; fi; exec sudo %s sh -c "$@"'
)


class Machine:
    """A host, local or over SSH, on which everything runs as root.

    Args:
        context: an Invoke Context for this machine, a Fabric Connection for another.
        password: sudo's, where it wants one.
    """

    def __init__(self, context: "Context | Connection", password: Secret | None = None) -> None:
        self.context, self.password = context, password
        self.execs, self.closed = 0, False
        self._pipes: list[Pipe] = []
        self._mark = f"runnerkit-{token_hex(8)}"

    def run(self, script: str, line: Callable[[str], None] | None = None) -> str:
        """Run a script as root and return its stdout.

        Args:
            script: POSIX sh; its commands have no stdin.
            line: called with each line of output as it comes.

        Raises:
            Failed: it ended with a code other than 0.
            NeedsPassword: sudo wants a password that we do not have.
            KitError: the host cannot be reached, or sudo is refused.
        """
        stdin = Stdin(f"{self._first()}#runnerkit\n{script}\n#end")
        out, err = Lines(line, self._mark), Lines(line, self._mark)
        self.execs += 1
        with self._connected():
            result = self.context.run(
                self._command(SCRIPT.format(self._mark)),
                in_stream=stdin,
                hide=False,
                warn=True,
                encoding="utf-8",
                out_stream=out,
                err_stream=err,
            )
        assert result is not None  # only a disowned run gives none
        if result.exited == -1:
            if self.transport:
                self.transport.join(1)  # the thread of one that broke ends, and is known by it
            _ = self.transport
            raise KitError(f"{self.where()}: the script was killed", KILLED)
        output, begun, stdout = result.stdout.partition(f"{self._mark}\n")
        stderr = clipped(
            result.stderr.rpartition(f"{self._mark}\n")[2] if begun else result.stderr or output
        )
        if result.exited:
            if refused := sudo.refusal(stderr, self.where(), bool(self.password)):
                raise refused
            raise Failed(result.exited, stderr)
        return str(stdout)

    def open(self, command: str) -> Pipe:
        """Start a command as root with its stdin and stdout as a pipe; it ends with the pipe, and that
        with the machine."""
        self.execs += 1
        words = self._command(PRELUDE.format(self._mark) + command)
        with self._connected():
            pipe = self._channel(words) if self.transport else local.child(words)
            pipe.sendall(f"{self._first()}#runnerkit\n".encode())
        self._pipes.append(pipe)
        return AfterMark(pipe, f"{self._mark}\n".encode())

    def reaches(self, address: str, port: int) -> bool:
        """Whether the host itself can open a TCP connection; True where that cannot be told."""
        if (transport := self.transport) is None:
            with contextlib.suppress(OSError), socket.create_connection((address, port), 10):
                return True
            return False
        import paramiko

        to, origin = (address, port), ("127.0.0.1", 0)
        try:
            transport.open_channel("direct-tcpip", to, origin, timeout=15).close()
        except paramiko.ChannelException as error:
            return bool(error.code != paramiko.common.OPEN_FAILED_CONNECT_FAILED)
        except paramiko.SSHException:
            return False
        return True

    @property
    def transport(self) -> "paramiko.Transport | None":
        """The SSH connection, opened if it never was; None on this machine.

        One that broke stays so: what had begun on it, and the host's lock, went with it.
        """
        if not hasattr(self.context, "transport"):
            return None
        if self.context.transport is None:
            self.context.open()
        elif not self.context.is_connected:
            raise self._broken()
        return self.context.transport  # type: ignore[no-any-return]

    @property
    def key(self) -> str:
        """What stands for the host's own key, which it proved to have; "" for this machine."""
        if (transport := self.transport) is None:
            return ""
        return hashlib.sha256(transport.get_remote_server_key().asbytes()).hexdigest()[:32]

    @property
    def user(self) -> str:
        """Who logs in, and becomes root by sudo."""
        return getattr(self.context, "user", None) or getpass.getuser()

    def where(self) -> str:
        """The host as people write it."""
        host = getattr(self.context, "host", None)
        return f"{self.context.user}@{host}:{self.context.port}" if host else "this machine"

    def close(self) -> None:
        self.closed = True
        for pipe in self._pipes:
            with contextlib.suppress(OSError):  # who waits for more of it is woken
                pipe.shutdown(socket.SHUT_RDWR)
        if hasattr(self.context, "transport"):
            self.context.close()

    @contextlib.contextmanager
    def _connected(self) -> Iterator[None]:
        with translated(self.where()):
            _ = self.transport
            try:
                yield
            except Exception:
                _ = self.transport  # that it broke is the better reason
                raise

    def _broken(self) -> KitError:
        return KitError(f"{self.where()}: the connection broke", BACK)

    def _channel(self, command: str) -> Pipe:
        from runnerkit.machine.ssh.channel import Lead

        channel = Lead(self.context.transport.open_session(timeout=30))
        channel.exec_command(command)
        return channel

    def _command(self, inner: str) -> str:
        flags = '-k -S -p ""' if self.password else "-n"
        return shlex.join(["sh", "-c", ROOT % flags, "runnerkit", inner])

    def _first(self) -> str:
        return f"{self.password.reveal()}\n" if self.password else ""
