"""The files of accepted host keys, as sshd(8) has their format: Paramiko knows no mark and no pattern."""

import base64
import binascii
import hmac
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from runnerkit.errors import KitError

MARKS = ("@revoked", "@cert-authority")


@dataclass(frozen=True)
class Line:
    """A line: whose key it is, its type and the key in base64; `mark` is "" or one of MARKS."""

    file: str
    number: int
    mark: str
    names: str
    type: str
    key: str

    def of(self, name: str) -> bool:
        """Whether it is about this host."""
        if self.names.startswith("|1|"):
            return _hashed(name.lower(), self.names)
        patterns = self.names.lower().split(",")
        hits = [one for one in patterns if _fits(name.lower(), one.removeprefix("!"))]
        return bool(hits) and not any(one.startswith("!") for one in hits)


def read(files: Iterable[str]) -> list[Line]:
    """Those that can be read; comments and lines that are cut short are passed over, as ssh does.

    Raises:
        KitError: a key that is none.
    """
    return [line for file in files for line in _lines(Path(file))]


def name_of(host: str, port: int) -> str:
    """As the files have a host."""
    return host if port == 22 else f"[{host}]:{port}"


def remember(file: Path, name: str, key: str) -> None:
    """Add a host's key to a file."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    cut = file.is_file() and not file.read_bytes().endswith(b"\n")
    with file.open("a") as known:
        known.write("\n" * cut + f"{name} {key}\n")


def _lines(file: Path) -> Iterator[Line]:
    try:
        text = file.read_text(errors="replace") if file.is_file() else ""
    except OSError:
        return
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        mark = words.pop(0) if words and words[0].startswith("@") else ""
        if len(words) < 3 or words[0].startswith("#") or (mark and mark not in MARKS):
            continue
        try:
            base64.b64decode(words[2], validate=True)
        except binascii.Error:
            raise KitError(f"{file}: not a host key: {line.strip()}", "mend that line") from None
        yield Line(str(file), number, mark, *words[:3])


def _fits(name: str, pattern: str) -> bool:
    """ssh's patterns know * and ? alone."""
    return fnmatchcase(name, re.sub(r"\[", "[[]", pattern))


def _hashed(name: str, pattern: str) -> bool:
    try:
        salt, digest = (base64.b64decode(part) for part in pattern.split("|")[2:])
    except ValueError:
        return False
    return hmac.compare_digest(hmac.digest(salt, name.encode(), "sha1"), digest)
