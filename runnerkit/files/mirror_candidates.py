"""Which mirrors there are to ask, and who has named each."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from runnerkit.errors import KitError
from runnerkit.facts import Facts
from runnerkit.place import TEMPLATES
from runnerkit.settings.docker import Docker

LIST = TEMPLATES / "mirrors.toml"
KNOWN = "list"  # of public mirrors, none of which anybody here has named
ADDRESS = re.compile(r"https?://(?:[a-zA-Z0-9.-]+|\[[0-9a-fA-F:]+\])(?::\d{1,5})?/?")


@dataclass(frozen=True)
class Candidate:
    """A mirror: `origin` is who has named it, `note` what is known of one of the list."""

    address: str
    origin: str
    note: str = ""


def typed(words: str) -> tuple[str, ...]:
    """The addresses of --mirrors.

    Raises:
        KitError: one of them is none.
    """
    found = tuple(one.strip() for one in words.split(",") if one.strip())
    for one in found:
        if not ADDRESS.fullmatch(one):
            raise KitError(
                f"--mirrors {one}: no address of a mirror",
                "write https://HOST or https://HOST:PORT: Docker takes no path, name or password there",
            )
    return found


def every(
    docker: Docker, have: Facts, now: Iterable[str], more: Sequence[str] = ()
) -> tuple[Candidate, ...]:
    """All of them, each once, those that the settings name first.

    Args:
        docker: what the settings say.
        have: the host.
        now: those of its daemon.json.
        more: those that were typed.
    """
    found: dict[str, Candidate] = {}
    for one in _every(docker, have, now, more):
        found.setdefault(one.address, one)
    return tuple(found.values())


def _every(
    docker: Docker, have: Facts, now: Iterable[str], more: Sequence[str]
) -> Iterator[Candidate]:
    for origin, addresses in (
        ("settings", docker.fixed_mirrors),
        ("--mirrors", more),
        ("settings", [one for one in docker.mirror_candidates if one != KNOWN]),
    ):
        yield from (Candidate(one.rstrip("/"), origin) for one in addresses)
    if (
        KNOWN in docker.mirror_candidates
    ):  # before the host's own, which may have been chosen of these
        yield from known()
    yield from (Candidate(one.rstrip("/"), "host") for one in _of_host(have, now))


def known() -> tuple[Candidate, ...]:
    """The public mirrors that come with the kit."""
    rows = tomllib.loads(LIST.read_text())["mirrors"]
    return tuple(
        Candidate(one["address"], KNOWN, f"{one['name']}, {one['date']}: {one['note']}")
        for one in rows
    )


def _of_host(have: Facts, now: Iterable[str]) -> Iterator[str]:
    """Those of its Docker, and of its file where Docker does not run: what is no address is left out."""
    config = have.info.get("RegistryConfig") or {}
    for one in (*(config.get("Mirrors") or ()), *now):
        if isinstance(one, str) and ADDRESS.fullmatch(one):
            yield one
