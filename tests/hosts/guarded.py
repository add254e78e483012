"""Mirrors by TLS of a CA of one's own, before the sandbox's registry, each with a token service elsewhere."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.hosts.lying import Lying, listening
from tests.hosts.sick import certificate

TOKEN = "of-the-token-service"
NOBODY = "https://127.0.0.1:1"  # where no token service is


class Tokens(Lying):
    """Gives leave to pull, and to nothing else."""

    def do_GET(self) -> None:
        (scope,) = parse_qs(urlsplit(self.path).query).get("scope", [""])
        good = scope.startswith("repository:") and scope.endswith(":pull")
        self._send(200 if good else 400, {}, json.dumps({"token": TOKEN if good else ""}).encode())


class Guarded(Lying):
    """Hands on what the registry has to who has leave."""

    realm = ""

    def do_GET(self) -> None:
        if self.headers["Authorization"] == f"Bearer {TOKEN}":
            super().do_GET()
        else:
            challenge = f'Bearer realm="{self.realm}/token",service="mirrors of ours"'
            self._send(401, {"WWW-Authenticate": challenge}, b"{}")


@contextmanager
def mirrors(address: str, registry: str, folder: Path) -> Iterator[dict[str, str]]:
    """Their addresses: one that works; one whose token service is down; one by another CA, "foreign".

    Args:
        address: where they listen.
        registry: the real one behind them.
        folder: where their files are put; in it, `ca` is the CA of the first two.
    """
    ours, foreign = _files(folder / "ours", address), _files(folder / "theirs", address)
    (folder / "ca").write_bytes(Path(ours[0]).read_bytes())
    with ExitStack() as stack:
        realm = stack.enter_context(listening(address, Tokens, ours))
        rows = {"works": (realm, ours), "down": (NOBODY, ours), "foreign": (realm, foreign)}
        yield {
            name: stack.enter_context(listening(address, _guarded(registry, at), files))
            for name, (at, files) in rows.items()
        }


def _files(folder: Path, address: str) -> tuple[str, str]:
    """Of a certificate and its key; the same for all mirrors of a folder."""
    if folder.exists():
        return str(next(folder.glob("*.crt"))), str(next(folder.glob("*.key")))
    folder.mkdir()
    return certificate(folder, address)


def _guarded(registry: str, realm: str) -> type[Guarded]:
    return type("GuardedAt", (Guarded,), {"lie": "honest", "registry": registry, "realm": realm})
