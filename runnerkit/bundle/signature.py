"""The signature of a bundle's list, which names every part by its digest: `ssh-keygen -Y`.

Everybody has the program and a key (OpenSSH 8.0, ssh-keygen(1); sshsig's PROTOCOL.sshsig).
"""

import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from runnerkit.bundle.reading import Bundle
from runnerkit.errors import KitError

NAMESPACE, WHO = "runnerkit-bundle", "runnerkit"
INSTALL = "install OpenSSH's client (ssh-keygen) on this machine"


def sign(key: Path, text: bytes) -> bytes:
    """The signature of a text.

    Args:
        key: the private key's file, or the public one's where an agent has the private key.
        text: what is signed.

    Raises:
        KitError: the key cannot sign.
    """
    ran = _run("-Y", "sign", "-q", "-n", NAMESPACE, "-f", str(key), data=text)
    if ran.returncode or not ran.stdout:
        what = f"{key} does not sign: {_last(ran.stderr)}"
        raise KitError(
            what, "name a private key of ssh; one with a passphrase must be in the agent"
        )
    return ran.stdout


def signer(key: str) -> Callable[[bytes], bytes] | None:
    """What signs by the key in a file, tried at once and not after all the work; None without one."""
    if not key:
        return None
    file = Path(key).expanduser()
    sign(file, b"")
    return partial(sign, file)


def check(bundle: Bundle, key: str) -> None:
    """Refuse a bundle that the key has not signed.

    Args:
        bundle: the bundle.
        key: the public key, a line as in id_ed25519.pub.

    Raises:
        KitError: it has no signature, or another's.
    """
    if not bundle.signature:
        fix = "make it with --key; or take signed_by out of [bundle], or leave --key out"
        raise KitError(f"{bundle.file} is not signed", fix)
    words = key.split()
    with tempfile.TemporaryDirectory() as folder:
        signers, signature = Path(folder) / "signers", Path(folder) / "signature"
        signers.write_text(f'{WHO} namespaces="{NAMESPACE}" {" ".join(words[:2])}\n')
        signature.write_bytes(bundle.signature)
        ran = _run(
            *("-Y", "verify", "-q", "-n", NAMESPACE, "-I", WHO),
            *("-f", str(signers), "-s", str(signature)),
            data=bundle.text,
        )
    if ran.returncode:
        what = f"{bundle.file} is not signed by that key: {_last(ran.stderr or ran.stdout)}"
        raise KitError(what, "ask who made it for their key, and for the bundle anew")


def public(word: str) -> str:
    """A public key, given itself or as the file that has it.

    Raises:
        KitError: neither.
    """
    if word.startswith(("ssh-", "ecdsa-", "sk-")):
        return word
    file = Path(word).expanduser()
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise KitError(f"{word}: {why}", "name the file of a public key of ssh") from None
    if not text.startswith(("ssh-", "ecdsa-", "sk-")):
        raise KitError(f"{word} is no public key of ssh", "name the file that ends with .pub")
    return text.strip()


def _run(*words: str, data: bytes) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(["ssh-keygen", *words], input=data, capture_output=True, check=False)
    except OSError as error:
        raise KitError(f"ssh-keygen cannot be run: {error.strerror}", INSTALL) from None


def _last(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else "no word of why"
