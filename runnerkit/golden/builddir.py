"""The folder of one build: the keys, the seed and the settings; it goes when the build ends."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import tomlkit
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from runnerkit.golden.failure import LOG
from runnerkit.golden.provision import CONSOLE, HOST_KEY, KEY, USER
from runnerkit.place import PACKAGE, dockerfiles
from runnerkit.settings.model import Settings
from runnerkit.templates import render

PREFIX = "build-"


@contextmanager
def build_folder(folder: Path, name: str, settings: Settings) -> Iterator[Path]:
    """A build's folder, closed to others. What a killed build left is removed first.

    Args:
        folder: where it is made; the caller alone works there.
        name: the image's.
        settings: those of the machines.
    """
    for left in folder.glob(f"{PREFIX}*"):
        shutil.rmtree(left)
    build = folder / f"{PREFIX}{name}"
    build.mkdir(mode=0o700)
    try:
        public = new_key(build / KEY)
        host_public = new_key(build / HOST_KEY)
        seed = render(
            "golden-user-data.yaml.j2",
            user=USER,
            public=public,
            host_public=host_public,
            host_private=(build / HOST_KEY).read_text(),
        )
        (build / "user-data").write_text(seed)
        (build / "meta-data").write_text(f"instance-id: {name}\nlocal-hostname: localhost\n")
        (build / "runnerkit.toml").write_text(tomlkit.dumps(_plain(msgspec.to_builtins(settings))))
        yield build
    finally:
        for log in (CONSOLE, LOG):
            (folder / log).unlink(missing_ok=True)
            if (build / log).exists():
                (build / log).replace(folder / log)
        shutil.rmtree(build, ignore_errors=True)


def command(build: Path) -> str:
    """What Packer runs to set the machine up; it says which machine in RUNNERKIT_HOST."""
    folders = os.pathsep.join(str(one.absolute()) for one in dockerfiles())
    return (
        f"RUNNERKIT_SETTINGS={shlex.quote(str(build / 'runnerkit.toml'))} "
        f"RUNNERKIT_DOCKERFILES={shlex.quote(folders)} "
        f"PYTHONPATH={shlex.quote(str(PACKAGE.parent))} {shlex.quote(sys.executable)} "
        f'-m runnerkit.golden "$RUNNERKIT_HOST" {shlex.quote(str(build))}'
    )


def new_key(path: Path) -> str:
    """A new ed25519 key, `.pub` beside it, and its public half."""
    private = Ed25519PrivateKey.generate()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    public = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    path.with_suffix(".pub").write_text(public)
    return public


def _plain(value: Any) -> Any:
    """Without what TOML has no word for: None."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items() if one is not None}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value
