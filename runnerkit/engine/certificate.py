"""TLS of the kit's own: a certificate for an address, and engines that do without it no longer.

Docker takes a registry on loopback without TLS or with any certificate; from 29.10 on it does not
where `insecure-registries` is set. What it takes then is a certificate in its certs.d.
"""

import contextlib
import ipaddress
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import docker

from runnerkit.errors import KitError
from runnerkit.facts.docker_trust import CERTS, insecure_network
from runnerkit.machine.forward import LOOPBACK
from runnerkit.machine.machine import Machine

YEARS = 20  # nobody remembers to renew one
DAYS = 7  # before and after now: a host's clock may be off
FOLDER = f"{CERTS}/{LOOPBACK}:"
CLEAN = f"""for file in {FOLDER}*/runnerkit.crt; do
  [ ! -e "$file" ] || {{ rm -f "$file"; rmdir "${{file%/*}}" {CERTS} 2>/dev/null; }}
done
:
"""


def new(ip: str = LOOPBACK, days: int = DAYS) -> tuple[str, str]:
    """A certificate for an IP address that signs itself, and its key; both PEM.

    Args:
        ip: the address.
        days: how long it holds from now on.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "runnerkit")])
    address = x509.IPAddress(ipaddress.ip_address(ip))
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(DAYS))
        .not_valid_after(now + timedelta(days))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), secret.decode()


def variables(ip: str) -> str:
    """One for a server that stays, as CERTIFICATE and KEY of a shell."""
    return "CERTIFICATE={}\nKEY={}".format(*map(shlex.quote, new(ip, YEARS * 365)))


@contextlib.contextmanager
def trusted(
    machine: Machine, client: docker.APIClient, port: int, certificate: str
) -> Iterator[None]:
    """Meanwhile the host's engine takes that certificate on that port of its loopback.

    Nothing is written where it takes any.
    """
    if insecure_network(client.info(), LOOPBACK):
        yield
        return
    file = f"'{FOLDER}{port}/runnerkit.crt'"
    machine.run(f"{CLEAN}mkdir -p {FOLDER}{port} && cat >{file} <<'END'\n{certificate}END\n")
    try:
        yield
    finally:
        with contextlib.suppress(KitError):  # what the connection broke at says more
            machine.run(CLEAN)
