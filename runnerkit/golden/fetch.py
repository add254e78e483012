"""A cloud image, fetched: what its checksum says, or nothing."""

import hashlib
import ssl
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import URLError

from runnerkit.errors import KitError
from runnerkit.golden.tools import Line
from runnerkit.settings.model import Golden

CHUNK = 1 << 20


class _Safe(urllib.request.HTTPRedirectHandler):
    """What was asked for by https is not fetched by anything less."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        if req.type == "https" and not newurl.lower().startswith("https:"):
            raise URLError(f"it leads away from https, to {newurl[:200]!r}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def digest(path: Path, kind: str = "sha256") -> str:
    """A file's checksum."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


def fetch(golden: Golden, new: Path, line: Line) -> None:
    """Fetch the base disk, and check it: against the settings, else what lies beside it.

    Raises:
        KitError: it cannot be had, or is not what it should be, or nothing says what it should be.
    """
    url, checksum = golden.base, golden.base_checksum
    if url.lower().startswith("http:") and not checksum:
        raise KitError(
            f"[golden] base {url}: anybody between could put another image in its place",
            'name it by https, or write its checksum, base_checksum = "sha256:…", or "none"',
        )
    line(f"base disk: fetch {url}")
    _download(url, new, golden.disk_gb << 30)
    if ":" in checksum:
        kind, _, wanted = checksum.partition(":")
        _same(new, kind, wanted, f"{url} is not what [golden] base_checksum says")
        line("base disk: it is what [golden] base_checksum says")
        return
    for place, kind in _checksums(url):
        if published := _published(place, url.rpartition("/")[2]):
            _same(new, kind, published, f"{url} is not what {place} says")
            line(f"base disk: it is what {place} says")
            return
    if checksum != "none":
        raise KitError(
            f"{url}: nothing beside it says what it should be",
            'write its checksum, [golden] base_checksum = "sha256:…", or "none"',
        )
    line("base disk: nothing beside it says whether it is whole")


def _open(url: str, timeout: int) -> Any:
    secure = urllib.request.HTTPSHandler(context=ssl.create_default_context())
    return urllib.request.build_opener(_Safe, secure).open(url, timeout=timeout)


def _download(url: str, new: Path, most: int) -> None:
    left, fix = most, "correct [golden] base, or leave it out"
    try:
        with _open(url, 60) as answer, new.open("wb") as file:
            while chunk := answer.read(CHUNK):
                left -= file.write(chunk)
                if left < 0:
                    raise KitError(f"fetch {url}: it is larger than [golden] disk_gb", fix)
            short = answer.length
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None)
        why = getattr(reason, "strerror", None) or reason or error
        raise KitError(f"fetch {url}: {why}", fix) from None
    if short:
        raise KitError(f"fetch {url}: it ended {short} bytes too early", "run again")


def _same(file: Path, kind: str, wanted: str, what: str) -> None:
    if digest(file, kind) != wanted:
        raise KitError(what, "see whether it or its checksum is older, and fetch it anew")


def _checksums(url: str) -> tuple[tuple[str, str], ...]:
    """Where a distribution may tell an image's checksum, and which."""
    beside = url.rpartition("/")[0]
    lists = {f"{beside}/SHA512SUMS": "sha512", f"{beside}/SHA256SUMS": "sha256"}
    return ((f"{url}.sha256", "sha256"), *lists.items())


def _published(place: str, name: str) -> str:
    """The checksum of that file, in a list of some or alone; "" where there is none."""
    try:
        with _open(place, 30) as answer:
            lines = [line.split() for line in answer.read(1 << 20).decode().splitlines()]
    except (OSError, HTTPException, UnicodeDecodeError):
        return ""
    of = {line[-1].lstrip("*").rpartition("/")[2]: line[0].lower() for line in lines if line}
    return of.get(name) or (lines[0][0].lower() if len(lines) == len(lines[0]) == 1 else "")
