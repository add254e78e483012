"""Keys and tokens of one sandbox: made once, kept in its state folder, readable by nobody else."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

TOKENS = {
    "api": "glpat-",
    "create_runner": "glpat-",
    "manage_runner": "glpat-",
    "registration": "GR1348941",
    "expired": "glpat-",
}


def folder(state: Path) -> None:
    """The state folder, which neither git nor another user sees."""
    (state / "downloads").mkdir(parents=True, exist_ok=True)
    state.chmod(0o700)
    (state / ".gitignore").write_text("*\n")


def key(state: Path) -> Path:
    """The private key that opens every host; `.pub` lies beside it."""
    path = state / "id_ed25519"
    if not path.exists():
        private, public = keypair()
        path.with_suffix(".pub").write_text(f"{public} runnerkit-sandbox\n")
        write(path, private)
    return path


def keypair() -> tuple[str, str]:
    """A new key in OpenSSH's formats: private, public."""
    private = Ed25519PrivateKey.generate()
    return (
        private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode(),
        private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode(),
    )


def password(state: Path, use: str) -> str:
    """A password of the sandbox's own: for `sudo` on its hosts, or to `push` to its mirror."""
    path = state / f"{use}-password"
    if not path.exists():
        write(path, secrets.token_urlsafe(24))
    return path.read_text()


def tokens(state: Path) -> dict[str, str]:
    """What GitLab is told to accept, by what it is good for."""
    path = state / "tokens.json"
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    new = {may: prefix + secrets.token_hex(10) for may, prefix in TOKENS.items()}
    if missing := new.keys() - known.keys():
        known |= {may: new[may] for may in TOKENS if may in missing}
        write(path, json.dumps(known, indent=2) + "\n")
    return known


def know(state: Path, address: str, public: str | None) -> None:
    """Put a host's key, or none, in place of what known_hosts says of its address."""
    with lock(state, "known_hosts.lock"):
        path = state / "known_hosts"
        lines = path.read_text().splitlines() if path.exists() else []
        kept = [line for line in lines if line.split()[0] != address]
        write(path, "".join(f"{line}\n" for line in kept + [f"{address} {public}"] * bool(public)))


def write(path: Path, text: str) -> None:
    """A file that only its owner may read, in place at once or not at all."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)


@contextmanager
def lock(state: Path, name: str) -> Iterator[None]:
    """One at a time, across processes."""
    with (state / name).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
