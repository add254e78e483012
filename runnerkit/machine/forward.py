"""A TCP connection that a host makes, carried by its SSH connection: sshd's own direct-tcpip."""

import socket

from runnerkit.errors import KitError
from runnerkit.machine.failure import BACK
from runnerkit.machine.machine import Machine
from runnerkit.machine.streams import Pipe

LOOPBACK = "127.0.0.1"
FORWARD = "set AllowTcpForwarding yes in the host's sshd_config"
TRIES = 20  # of several that fail at once paramiko tells one of all the reasons, and others of none


class NoForwarding(KitError):
    """The host's sshd does not forward."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(f"{machine.where()}: sshd refuses to forward TCP", FORWARD)


def dial(machine: Machine, port: int, address: str = LOOPBACK, patience: float = 15.0) -> Pipe:
    """A connection from the host to a port of its loopback, or of another address.

    Args:
        machine: the host.
        port: the port.
        address: where it is.
        patience: seconds that it may take.

    Raises:
        ConnectionRefusedError: nothing listens there.
        ConnectionResetError: what listens there ends each connection at once.
        TimeoutError: nothing answers.
        KitError: sshd does not forward, or the connection broke.
    """
    if (transport := machine.transport) is None:
        connection = socket.create_connection((address, port), patience)
        connection.settimeout(None)
        return connection
    import paramiko

    from runnerkit.machine.ssh.channel import Lead

    to, origin = (address, port), (LOOPBACK, 0)
    for _ in range(TRIES):
        try:
            return Lead(transport.open_channel("direct-tcpip", to, origin, timeout=patience))
        except paramiko.ChannelException as error:
            if error.code == paramiko.common.OPEN_FAILED_CONNECT_FAILED:
                raise ConnectionRefusedError(f"nothing listens on port {port}") from None
            raise NoForwarding(machine) from None
        except paramiko.SSHException as error:
            if not transport.is_active():
                raise KitError(f"{machine.where()}: the connection broke", BACK) from None
            if "Timeout" in str(error):
                raise TimeoutError(f"nothing answers on port {port}") from None
    raise ConnectionResetError(f"no connection to port {port} comes about")
