"""Logging in by the keys of files and of the agent, in ssh's order."""

import base64
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import paramiko
from paramiko.agent import AgentKey, AgentSSH
from paramiko.auth_strategy import AuthFailure, AuthStrategy, InMemoryPrivateKey, SourceResult
from paramiko.pkey import PublicBlob, UnknownKeyType

from runnerkit.machine import sudo
from runnerkit.machine.ssh.hop import Hop
from runnerkit.printable import in_one_line

CLOSED = "the host closed the connection while keys were tried"
LETTERS = 200  # of each thing that a host says where it asks
MAGIC = b"openssh-key-v1\0"


class Keys(AuthStrategy):
    """The agent's keys that the settings name, the key that was asked for, the agent's other keys,
    the settings' other files; what cannot be read is passed over.
    """

    def __init__(self, hop: Hop) -> None:
        super().__init__(paramiko.SSHConfig())
        self._hop = hop
        self._locked: list[str] = []

    def get_sources(self) -> Iterator[InMemoryPrivateKey]:
        hop = self._hop
        public = {file: _public(file) for file in hop.keys}
        agent = _agent(hop.agent)
        named = [key for key in agent if key.blob in public.values()]
        files = [file for file in hop.keys if public[file] not in {key.blob for key in named}]
        first = [file for file in files if file == hop.identity]
        yield from map(self._source, named)
        yield from map(self._source, self._loaded(first))
        if not hop.only_keys:
            yield from (self._source(key) for key in agent if key not in named)
        yield from map(self._source, self._loaded([file for file in files if file not in first]))

    def authenticate(self, transport: paramiko.Transport) -> list[SourceResult]:
        try:
            result = super().authenticate(transport)
        except AuthFailure:
            if not transport.is_active():
                raise paramiko.SSHException(CLOSED) from None
            if self._locked:
                raise paramiko.PasswordRequiredException(self._locked[0]) from None
            raise
        if result[-1].result:  # the host wants more than a key
            transport.auth_interactive(self._hop.user, self._answers)
        return result

    def _answers(self, title: str, text: str, fields: list[tuple[str, bool]]) -> list[str]:
        """A person's, to what the host asks: its words, which are shown as such and obeyed by nothing."""
        head = f"{self._hop.where} asks"
        return [
            sudo.question(": ".join([head, *filter(None, map(_shown, (title, text, field)))]) + " ")
            for field, _ in fields
        ]

    def _source(self, key: paramiko.PKey) -> InMemoryPrivateKey:
        return InMemoryPrivateKey(self._hop.user, key)

    def _loaded(self, files: list[str]) -> Iterator[paramiko.PKey]:
        for file in files:
            with contextlib.suppress(OSError, ValueError, UnknownKeyType, paramiko.SSHException):
                try:
                    yield from _certified(file, self._hop.certificates)
                    yield paramiko.PKey.from_path(file)
                except (TypeError, paramiko.PasswordRequiredException):
                    self._locked.append(file)


class _Agent(AgentSSH):
    """Paramiko's own knows no other socket than SSH_AUTH_SOCK's."""

    def __init__(self, path: str) -> None:
        super().__init__()
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(path)
        self._connect(connection)  # type: ignore[attr-defined]


def _shown(words: str) -> str:
    return in_one_line(words.strip())[:LETTERS]


def _agent(path: str) -> tuple[AgentKey, ...]:
    with contextlib.suppress(OSError, paramiko.SSHException):
        return _Agent(path).get_keys() if path else ()
    return ()


def _certified(file: str, certificates: tuple[str, ...]) -> Iterator[paramiko.PKey]:
    """A key with each certificate of its type; one beside it Paramiko finds itself."""
    for certificate in certificates:
        with contextlib.suppress(OSError, ValueError):
            key = paramiko.PKey.from_path(file)
            key.load_certificate(certificate)
            yield key


def _public(file: str) -> bytes:
    """The public half of a key's file, which may be all that is there; b"" where it cannot be told."""
    for place in (Path(f"{file}.pub"), Path(file)):
        with contextlib.suppress(OSError, ValueError, IndexError):
            text = place.read_text()
            if not text.startswith("-----BEGIN OPENSSH"):
                return bytes(PublicBlob.from_string(text).key_blob)
            message = paramiko.Message(base64.b64decode("".join(text.splitlines()[1:-1])))
            if message.get_bytes(len(MAGIC)) == MAGIC:
                for _ in ("cipher", "kdf", "its options"):
                    message.get_string()
                message.get_int()
                return message.get_string()
    return b""
