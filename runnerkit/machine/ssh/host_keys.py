"""Host keys, checked for every hop: Fabric alone accepts any."""

import base64
import hashlib
import subprocess
import tempfile
from functools import cached_property
from pathlib import Path

import paramiko

from runnerkit.errors import KitError
from runnerkit.machine.ssh import known_hosts
from runnerkit.machine.ssh.hop import Hop

ACCEPTING = ("accept-new", "no", "off", "false")  # StrictHostKeyChecking
SIGNATURES = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}  # where they are not named as the key is


class UnknownHostKey(KitError):
    pass


class Guard(paramiko.MissingHostKeyPolicy):
    """Lets a hop's host key pass if it is known, or may be made known.

    Args:
        hop: whose key it is.
        accept: whether an unknown key is accepted and remembered.
        role: what stands before its name in an error.
    """

    def __init__(self, hop: Hop, accept: bool, role: str = "") -> None:
        self._hop = hop
        self._accept = accept or hop.strict in ACCEPTING
        self._name = hop.known_as or known_hosts.name_of(hop.host, hop.port)
        self._where = f"{role}{self._name}"

    @cached_property
    def _lines(self) -> list[known_hosts.Line]:
        names = {self._name, self._hop.known_as or self._hop.host}
        lines = known_hosts.read(self._hop.known_hosts)
        return [line for line in lines if any(line.of(name) for name in names)]

    @property
    def _known(self) -> list[known_hosts.Line]:
        return [line for line in self._lines if not line.mark and line.of(self._name)]

    def prefer(self, transport: paramiko.Transport) -> None:
        """Ask the host for a key of a type that is known."""
        options = transport.get_security_options()
        wanted = [name for line in self._known for name in SIGNATURES.get(line.type, (line.type,))]
        options.key_types = sorted(options.key_types, key=lambda name: name not in wanted)

    def missing_host_key(self, client: object, hostname: str, key: paramiko.PKey) -> None:
        text = key.get_base64()
        same = [line for line in self._lines if line.key == text]
        revoked = [f"{line.file}:{line.number}" for line in same if line.mark == "@revoked"]
        if not revoked and _revoked(self._hop.revoked, key):
            revoked = [self._hop.revoked]
        if revoked:
            raise KitError(
                f"{self._where}: the host key {fingerprint(key)} is revoked in {revoked[0]}",
                "do not log in; the host needs a new key, and who had the old one may be between",
            )
        if any(not line.mark for line in same):  # also one that is known without the port
            return
        if known := self._known:
            raise KitError(
                f"{self._where}: the host key has changed (now {fingerprint(key)})",
                f"if the host was set up anew, ssh-keygen -R '{self._name}' -f '{known[0].file}'; "
                "else someone is between",
            )
        if not self._accept:
            raise UnknownHostKey(
                f"{self._where}: unknown host key {fingerprint(key)}",
                "compare it with the host's, then accept it with --accept-new-host-keys",
            )
        if self._hop.new_keys:
            self._remember(Path(self._hop.new_keys), f"{key.get_name()} {text}")

    def _remember(self, file: Path, key: str) -> None:
        try:
            known_hosts.remember(file, self._name, key)
        except OSError as error:
            raise KitError(
                f"{self._where}: its host key cannot be written to {file}: {error.strerror}",
                "mend that file, or name another as known_hosts of [ssh]",
            ) from None


def fingerprint(key: paramiko.PKey) -> str:
    """As ``ssh-keygen -l`` shows it."""
    digest = base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")
    return f"{key.get_name()} SHA256:{digest}"


def _revoked(file: str, key: paramiko.PKey) -> bool:
    """Whether a file of RevokedHostKeys, a list or of ssh's own form, has the key."""
    if not file:
        return False
    with tempfile.NamedTemporaryFile("w", suffix=".pub") as public:
        public.write(f"{key.get_name()} {key.get_base64()}\n")
        public.flush()
        command = ["ssh-keygen", "-Q", "-f", file, public.name]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return ran.returncode != 0  # one that cannot be read revokes all, as with ssh
