"""SSH by Fabric, with host keys checked, and its failures in words."""

import base64
import errno
import hashlib
import logging
import socket
from pathlib import Path
from typing import Any

import paramiko
from fabric import Config, Connection
from fabric.runners import Remote
from paramiko.hostkeys import InvalidHostKey
from paramiko.ssh_exception import NoValidConnectionsError

from runnerkit.errors import KitError
from runnerkit.machine import ssh_config

KEEPALIVE = 15  # seconds between signs of life
GONE = 60  # seconds without an answer to one, after which the connection is broken
logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # we say it ourselves


class UnknownHostKey(KitError):
    pass


def connection(target: str, identity: str, known_hosts: str, accept: bool) -> Connection:
    """A connection to ``[user@]address[:port]`` or an alias of ~/.ssh/config; not opened yet.

    Args:
        target: the host.
        identity: a private key's file, or "" for ssh's own choice.
        known_hosts: the file of accepted host keys.
        accept: accept an unknown host key and remember it there.
    """
    keys: dict[str, Any] = {"banner_timeout": 30, "auth_timeout": 30, "transport_factory": _alive}
    if identity:
        key = Path(identity).expanduser()
        if not key.is_file():
            raise KitError(f"{target}: no key file {key}", "correct identity in the settings")
        keys |= {"key_filename": str(key), "look_for_keys": False}
    settings = ssh_config.read()
    try:
        new = Connection(
            target,
            config=Config(ssh_config=settings, overrides={"runners": {"remote": _Remote}}),
            connect_timeout=15,
            connect_kwargs=keys,
        )
    except ValueError:
        raise KitError(
            f"the port of {target} is no number",
            "write user@address:22, or correct Port in ssh's settings",
        ) from None
    _as_ssh(new)
    _guard(new, Path(known_hosts).expanduser(), accept)
    return new


def explain(where: str, error: Exception) -> KitError | None:
    """The error in words, or None where it is not SSH's."""
    match error:
        case socket.gaierror():
            return KitError(f"{where}: no such host", "check the name; it may be missing in DNS")
        case paramiko.BadHostKeyException():
            return KitError(
                f"{where}: the host key has changed (now {fingerprint(error.key)})",
                f"if the host was set up anew, ssh-keygen -R '{error.hostname}' (with -f FILE for [ssh] "
                "known_hosts); else someone is between",
            )
        case paramiko.PasswordRequiredException():
            return KitError(f"{where}: the key has a passphrase", "ssh-add it to an agent first")
        case paramiko.AuthenticationException():
            return _refused(where)
        case TimeoutError():
            return KitError(f"{where}: no answer within 15 s", "check address, port and firewall")
        case NoValidConnectionsError():  # its own words have no reason in them
            return explain(where, next(iter(error.errors.values())))
        case OSError(errno=errno.EHOSTUNREACH | errno.ENETUNREACH | errno.EHOSTDOWN):
            return KitError(
                f"{where}: no way to the host: {error.strerror}",
                "check that it is on, its address and the network",
            )
        case ConnectionError() | EOFError():
            reason = getattr(error, "strerror", "") or error
            return KitError(
                f"{where}: cannot connect: {reason}".removesuffix(": "),
                "check that sshd listens on that port",
            )
        case paramiko.SSHException():
            if "authentication methods" in str(error) or "private key" in str(error):
                return _refused(where)
            return KitError(f"{where}: SSH failed: {error}", "try: ssh -v to the same address")
        case OSError():
            return KitError(f"{where}: {error}", "check the network, then run again")
    return None


def fingerprint(key: paramiko.PKey) -> str:
    """As ``ssh-keygen -l`` shows it."""
    digest = base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")
    return f"{key.get_name()} SHA256:{digest}"


def _alive(sock: Any, **options: Any) -> paramiko.Transport:
    """A transport that notices when the host is gone without a word, and does not wait for ever."""
    transport = paramiko.Transport(sock, **options)
    transport.set_keepalive(KEEPALIVE)
    if isinstance(sock, socket.socket) and hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE * 1000)
    return transport


def _refused(where: str) -> KitError:
    return KitError(
        f"{where}: the host refuses this user or key",
        "check the user, and that your key is in the host's ~/.ssh/authorized_keys",
    )


def _as_ssh(connection: Connection) -> None:
    """Its settings as ssh itself reads them: keys that are not there are passed over, none is no hop."""
    if connection.ssh_config.get("proxyjump", "").lower() == "none":
        connection.gateway = None
    named = connection.connect_kwargs.get("key_filename")
    if isinstance(named, list):
        connection.connect_kwargs["key_filename"] = [key for key in named if Path(key).is_file()]
    if isinstance(connection.gateway, Connection):
        _as_ssh(connection.gateway)


def _guard(connection: Connection, known_hosts: Path, accept: bool) -> None:
    """Check host keys on the way too: Fabric alone accepts any."""
    if known_hosts.exists():
        try:
            connection.client.load_system_host_keys(str(known_hosts))
        except InvalidHostKey as error:
            raise KitError(
                f"{known_hosts}: not a host key: {error.line}", "mend that line"
            ) from None
    connection.client.set_missing_host_key_policy(_Remember(known_hosts) if accept else _Refuse())
    if isinstance(connection.gateway, Connection):
        _guard(connection.gateway, known_hosts, accept)


class _Refuse(paramiko.MissingHostKeyPolicy):
    def missing_host_key(self, client: object, hostname: str, key: paramiko.PKey) -> None:
        raise UnknownHostKey(
            f"{hostname}: unknown host key {fingerprint(key)}",
            "compare it with the host's, then accept it with --accept-new-host-keys",
        )


class _Remember(paramiko.MissingHostKeyPolicy):
    def __init__(self, file: Path) -> None:
        self.file = file

    def missing_host_key(self, client: object, hostname: str, key: paramiko.PKey) -> None:
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        cut = self.file.exists() and not self.file.read_bytes().endswith(b"\n")
        with self.file.open("a") as known:
            known.write("\n" * cut + f"{hostname} {key.get_name()} {key.get_base64()}\n")


class _Remote(Remote):  # type: ignore[misc]
    def write_proc_stdin(self, data: str) -> None:
        try:
            super().write_proc_stdin(data)
        except OSError:  # the command ended early; its exit code tells why
            return
