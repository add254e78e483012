"""What one host should be, as typed data."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runnerkit.bundle.reading import Bundle
from runnerkit.errors import nearest
from runnerkit.images.definition import JobImage
from runnerkit.images.reference import digest, pinned, repository, sources
from runnerkit.settings import autoscaler
from runnerkit.settings.access import Access
from runnerkit.settings.docker import Docker
from runnerkit.settings.hardening import closes_metadata
from runnerkit.settings.model import DEFAULT, Golden, Manager, Prune
from runnerkit.settings.runner import Runner
from runnerkit.settings.secrets import Secret

NEAR = 0.82  # debian and ci-debian, node and nodejs are two; debain and debian are not
MARK = "runnerkit host="  # how the note of a runner begins that the kit made at GitLab
# Of a runner, what GitLab keeps, beside its tags.
FIELDS = ("run_untagged", "locked", "paused", "access_level", "maximum_timeout")


@dataclass(frozen=True)
class WantedRunner:
    """A runner on a host. `image` is the reference that config.toml shall name, `hosts` how many have
    the same token."""

    key: str
    spec: Runner
    image: str
    token: Secret | None = None
    registration_token: Secret | None = None
    adopts: bool = False
    hosts: int = 1

    def name(self, hostname: str) -> str:
        """Its name in config.toml, and its description at GitLab."""
        return self.spec.name or usual_name(self.key, hostname)

    def note(self, identity: str) -> str:
        """The mark by which a run finds what an interrupted one created at GitLab for that host."""
        return f"{MARK}{identity} runner={self.key}"

    @property
    def at_gitlab(self) -> Mapping[str, Any]:
        """What the settings say of GitLab's side; what they do not name is left alone there."""
        values = {key: getattr(self.spec, key) for key in FIELDS}
        if self.spec.tags is not None:
            values["tag_list"] = list(dict.fromkeys(self.spec.tags))
        return {key: value for key, value in values.items() if value is not None}

    @property
    def elsewhere(self) -> bool:
        """Whether its jobs run on other machines, of which an autoscaler makes some."""
        return self.spec.executor in autoscaler.EXECUTORS


@dataclass(frozen=True)
class Cache:
    """A cache of the site: whose host it is, at which address and port. `certificate` is what it answers
    with; "" where its host did not tell, None where that was not asked, as in a plan."""

    host: str
    address: str
    certificate: str | None = None

    @property
    def url(self) -> str:
        return f"https://{self.address}"


@dataclass(frozen=True)
class OwnCache:
    """The cache that a host runs itself; `ca` is what it trusts besides."""

    address: str
    max_gb: int
    upstream: str
    image: str
    username: str = ""
    password: Secret | None = None
    ca: str = ""

    @property
    def ip(self) -> str:
        """Where it listens, without the port."""
        return self.address.rpartition(":")[0].strip("[]")


@dataclass(frozen=True)
class Want:
    """What a host should be.

    `names` are those of all job images that there are, `origin` tells the settings file from others (""
    where there is none), `caches` are those of the site in the order in which the host asks them, `cache`
    the one that it runs, `bundle` what all comes from that else were fetched, `mirrors_anew` whether
    registry mirrors are asked though some are chosen.
    """

    url: str
    docker: Docker
    manager: Manager
    runners: tuple[WantedRunner, ...] = ()
    images: tuple[JobImage, ...] = ()
    names: tuple[str, ...] = ()
    api: bool = False
    prune: Prune = field(default_factory=Prune)
    golden: Golden = field(default_factory=Golden)
    network: Access = field(default_factory=Access)
    origin: str = ""
    caches: tuple[Cache, ...] = ()
    cache: OwnCache | None = None
    bundle: Bundle | None = None
    mirrors_anew: bool = False

    @property
    def release(self) -> str:
        """The manager's version as its image's tag has it, for example v19.3.0; "" for none."""
        tag = re.search(r":(?:[a-z0-9.]+-)?(v\d+\.\d+\.\d+)(?:@|-sha256-|$)", self.manager.image)
        return tag[1] if tag else ""

    @property
    def numbers(self) -> tuple[int, ...]:
        """Major and minor of the manager's version."""
        return tuple(int(number) for number in re.findall(r"\d+", self.release)[:2])

    @property
    def config(self) -> str:
        """Where config.toml is on the host."""
        return f"{self.manager.config_dir}/config.toml"

    @property
    def metadata_closed(self) -> bool:
        """Whether containers are kept from the cloud's metadata address."""
        return closes_metadata(self.docker, (runner.spec for runner in self.runners))

    def sources(self, image: str) -> tuple[str, ...]:
        """By which names an image is pulled that is known by its own thereafter.

        One that is pinned has no other: an engine knows a digest only by the name that it came by.
        """
        own = pinned(image)
        return (image,) if digest(image) else sources(own, self.docker.prefix_mirrors)

    def slip(self, image: str) -> str:
        """`` (did you mean 'web'?)``, where an image of the settings is written nearly so; else nothing."""
        name, bases = repository(image), (base for job in self.images for base in job.bases)
        others = (runner.image for runner in self.runners if runner.image)
        known = {*self.names, *map(repository, others), *map(repository, bases)} - {name}
        turned = (one for one in sorted(known) if sorted(one) == sorted(name))  # wbe
        return nearest(next(turned, name), known, NEAR)

    @property
    def system_id(self) -> str:
        """Where gitlab-runner keeps what it calls itself on the host, as a manager."""
        return f"{self.manager.config_dir}/.runner_system_id"

    @property
    def elsewhere(self) -> bool:
        """Whether the manager also has jobs on other machines, where this host does not see them."""
        return any(runner.elsewhere for runner in self.runners)


def usual_name(key: str, hostname: str) -> str:
    """What a runner of that key is called on a host, where the settings give it no name."""
    return hostname if key == DEFAULT else f"{hostname}-{key}"


def bare(url: str) -> str:
    """GitLab's address as the runner has it: network/client.go drops / and an old /ci."""
    return url.strip().rstrip("/").removesuffix("/ci").rstrip("/")
