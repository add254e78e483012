"""What SSH and the network raise, in words."""

import errno
import socket

import paramiko

from runnerkit.errors import KitError
from runnerkit.machine.ssh.keys import CLOSED

LOGIN = 30  # seconds for each step of a login
FEWER = "where the agent has many keys, name the host's by identity, or IdentitiesOnly in ssh's settings"


def explain(where: str, error: Exception) -> KitError | None:
    """The error in words, or None where it is not SSH's."""
    match error:
        case socket.gaierror() | UnicodeError():  # the second: what can be no name
            return KitError(f"{where}: no such host", "check the name; it may be missing in DNS")
        case paramiko.PasswordRequiredException():
            return KitError(
                f"{where}: the key {error} has a passphrase", "ssh-add it to an agent first"
            )
        case paramiko.AuthenticationException() if "timeout" in str(error).lower():
            return KitError(
                f"{where}: the login had no answer within {LOGIN} s",
                "see what sshd waits for there: often DNS (UseDNS), or what PAM asks",
            )
        case paramiko.AuthenticationException():
            return _refused(where)
        case TimeoutError():
            return silent(where)
        case OSError(errno=errno.EHOSTUNREACH | errno.ENETUNREACH | errno.EHOSTDOWN):
            return KitError(
                f"{where}: no way to the host: {error.strerror}",
                "check that it is on, its address and the network",
            )
        case ConnectionError() | EOFError():
            reason = getattr(error, "strerror", "") or "the connection was closed"
            return KitError(
                f"{where}: cannot connect: {reason}",
                "check that sshd listens on that port",
            )
        case paramiko.SSHException():
            if str(error) == CLOSED:
                return KitError(f"{where}: {error}", FEWER)
            if "protocol banner" in str(error):
                return KitError(
                    f"{where}: what answers there closes the connection before it greets",
                    "see whether it is an sshd, and its MaxStartups; it may block this address",
                )
            return KitError(f"{where}: SSH failed: {error}", "try: ssh -v to the same address")
        case OSError():
            return KitError(f"{where}: {error}", "check the network, then run again")
    return None


def silent(where: str, seconds: float = 0) -> KitError:
    """Nothing answers.

    Args:
        where: the host.
        seconds: the limit that was kept; 0 where it was the system's own.
    """
    limit = f"no answer within {seconds:g} s" if seconds else "no answer"
    return KitError(f"{where}: {limit}", "check address, port and firewall")


def forwarding(jump: str, to: str, error: Exception) -> KitError:
    """Why a jump host does not lead on."""
    code = error.code if isinstance(error, paramiko.ChannelException) else 0
    if code == paramiko.common.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED:
        return KitError(
            f"jump host {jump}: its sshd refuses to forward to {to}",
            "set AllowTcpForwarding yes in the jump host's sshd_config, and see PermitOpen there",
        )
    if code == paramiko.common.OPEN_FAILED_CONNECT_FAILED:
        return KitError(
            f"jump host {jump}: cannot connect to {to} from there",
            "check that the jump host knows that name, and that sshd listens on that port",
        )
    if "Timeout" in str(error):
        return KitError(
            f"jump host {jump}: no answer from {to} there",
            "check that address, and the firewall between the two",
        )
    return KitError(f"jump host {jump}: no way to {to}: {error}", "see what its sshd has logged")


def _refused(where: str) -> KitError:
    return KitError(
        f"{where}: the host refuses this user or key",
        "check the user, and that your key is in the host's ~/.ssh/authorized_keys",
    )
