"""Mirrors tried from hosts, for exactly the images that these need; and an order of them written down."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from runnerkit import converge, resolve
from runnerkit.checks.network import registries
from runnerkit.checks.network.mirrors import apart
from runnerkit.checks.network.verdict import Rating, choice, ratings, together, unserved
from runnerkit.errors import KitError
from runnerkit.events import Phase
from runnerkit.facts import Facts, Needs
from runnerkit.files import daemon_json
from runnerkit.files.mirror_candidates import KNOWN, Candidate, every, typed
from runnerkit.fleet.host import Host
from runnerkit.fleet.mirrors.asking import served
from runnerkit.fleet.run import Fleet, Outcome
from runnerkit.images.reference import HUB
from runnerkit.settings import edit
from runnerkit.settings.model import Settings
from runnerkit.want import Want

NOWHERE = "https://gitlab.example.com"  # where the settings name no GitLab, which is not asked


class Asked:
    """What must be known of a host to ask mirrors from it."""

    @staticmethod
    def needs(_: Want) -> Needs:
        return Needs(files=(daemon_json.PATH,))


@dataclass(frozen=True)
class Offers:
    """What registries offer a host: `others` are images that it needs from elsewhere than Docker Hub,
    `proxied` whether its Docker goes another way than we did."""

    images: tuple[str, ...]
    ratings: tuple[Rating, ...]
    candidates: tuple[Candidate, ...]
    others: tuple[str, ...] = ()
    proxied: bool = False

    @property
    def unserved(self) -> tuple[str, ...]:
        """The images that nobody serves."""
        return unserved(self.ratings, self.images)

    @property
    def own(self) -> tuple[str, ...]:
        """The mirrors that somebody here has named."""
        return tuple(one.address for one in self.candidates if one.origin != KNOWN)


@dataclass(frozen=True)
class Survey:
    """Of all hosts: `order` are the mirrors that serve each of them, `settings` those that the settings
    name, `file` where the order is written now, `wanted` whether that was asked for."""

    outcomes: tuple[Outcome[Offers], ...]
    order: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    file: Path | None = None
    wanted: bool = False


def probe(fleet: Fleet, mirrors: str, write: bool) -> Survey:
    """Ask every mirror from every host.

    Args:
        fleet: the hosts.
        mirrors: more mirrors than the settings, the hosts and the list name, comma-separated.
        write: whether the settings file is to name those that serve.
    """
    more = typed(mirrors)
    file = edit.file() if write else None
    now = fleet.settings.docker.registry_mirrors

    def work(host: Host, want: Want) -> Offers:
        return offers(host, want, converge.look(host, want, (Asked,)), more)

    settings = _tokenless(fleet.settings)
    names = [target.name for target in fleet.targets]
    wanted = {name: resolve.of_host(settings, name, True, names) for name in names}
    outcomes = tuple(fleet.each(wanted, work))
    results = [one.result for one in outcomes if one.result]
    order = _order(results) if len(results) == len(outcomes) else ()
    if not file or not order or order == now:
        return Survey(outcomes, order, now if isinstance(now, tuple) else (), None, write)
    edit.set_key(file, "docker", "registry_mirrors", order)
    return Survey(outcomes, order, order, file, write)


def offers(host: Host, want: Want, have: Facts, more: Sequence[str] = ()) -> Offers:
    """What all mirrors, and Docker Hub itself, offer a host."""
    images, others = registries.hub_images(want, have)
    now: tuple[str, ...] = ()
    with suppress(KitError):  # a file that cannot be read names none
        now = daemon_json.others(want, have)
    candidates = every(want.docker, have, now, more)
    host.tell(Phase("asking registry mirrors"))
    asked = (*(one.address for one in candidates), HUB)
    found = served(host.machine, asked, images, have.architecture, have.info, want.network)
    return Offers(images, ratings(found), candidates, others, apart(want, have))


def _order(results: Sequence[Offers]) -> tuple[str, ...]:
    """Those that serve every host, by the host that they serve worst."""
    own = {one for each in results for one in each.own}
    return choice(together([each.ratings for each in results]), own)


def _tokenless(settings: Settings) -> Settings:
    """The same without what only GitLab is told: nothing is asked of it."""
    replace = msgspec.structs.replace
    runners = {
        key: replace(one, token=None, registration_token=None)
        for key, one in settings.runners.items()
    }
    gitlab = replace(settings.gitlab, url=settings.gitlab.url or NOWHERE, api_token=None)
    return replace(settings, runners=runners, gitlab=gitlab)
