"""What one host should be: the settings, with names resolved and secrets read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from runnerkit.errors import KitError
from runnerkit.images import catalog
from runnerkit.images.definition import JobImage
from runnerkit.settings import autoscaler, free_keys, tokens
from runnerkit.settings.hardening import closes_metadata, hardened
from runnerkit.settings.model import DEFAULT, Docker, Golden, Manager, Prune, Settings
from runnerkit.settings.runner import Runner
from runnerkit.settings.secrets import Secret

# Of a runner, what GitLab keeps, beside its tags.
FIELDS = ("run_untagged", "locked", "paused", "access_level", "maximum_timeout")


@dataclass(frozen=True)
class WantedRunner:
    """A runner on a host. `image` is the reference that config.toml shall name."""

    key: str
    spec: Runner
    image: str
    token: Secret | None = None
    registration_token: Secret | None = None
    adopts: bool = False

    def name(self, hostname: str) -> str:
        """Its name in config.toml, and its description at GitLab."""
        if self.spec.name:
            return self.spec.name
        return hostname if self.key == DEFAULT else f"{hostname}-{self.key}"

    def note(self, identity: str) -> str:
        """The mark by which a run finds what an interrupted one created at GitLab for that host."""
        return f"runnerkit host={identity} runner={self.key}"

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
class Want:
    url: str
    docker: Docker
    manager: Manager
    runners: tuple[WantedRunner, ...] = ()
    images: tuple[JobImage, ...] = ()
    names: tuple[str, ...] = ()  # of all job images that the settings know
    api: bool = False
    prune: Prune = field(default_factory=Prune)
    golden: Golden = field(default_factory=Golden)

    @property
    def release(self) -> str:
        """The manager's version as its image's tag has it, for example v19.3.0; "" for none."""
        tag = re.search(r":(?:[a-z0-9.]+-)?(v\d+\.\d+\.\d+)(?:@|$)", self.manager.image)
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

    @property
    def system_id(self) -> str:
        """Where gitlab-runner keeps what it calls itself on the host, as a manager."""
        return f"{self.manager.config_dir}/.runner_system_id"

    @property
    def elsewhere(self) -> bool:
        """Whether the manager also has jobs on other machines, where this host does not see them."""
        return any(runner.elsewhere for runner in self.runners)


def resolve(settings: Settings, host: str, empty: bool = False) -> Want:
    """What the settings make of a host of that name (or of one that they do not name).

    Raises:
        KitError: there is no runner, and it may not be `empty`; or a name, token or image definition is wrong.
    """
    url = settings.gitlab.url.rstrip("/")
    if not url:
        raise KitError(
            "no GitLab is named",
            "write [gitlab] url = … into runnerkit.toml, or give bootstrap --url https://…",
        )
    if not (keys := keys_of(settings, host)) and not empty:
        raise none()
    found = {key: catalog.find(settings, settings.runners[key].image) for key in keys}
    runners = tuple(_runner(settings, key, found[key]) for key in keys)
    _distinct(runners)
    return Want(
        url=url,
        docker=free_keys.filled(settings.docker, "docker", "daemon"),
        manager=_manager(settings.manager, runners),
        runners=runners,
        images=catalog.closed(settings, [image.name for image in found.values() if image]),
        names=catalog.names(settings),
        api=settings.gitlab.api_token is not None,
        prune=settings.prune,
        golden=settings.golden,
    )


def none() -> KitError:
    """The failure of a host that shall have no runner."""
    return KitError(
        "no runner is named",
        "write [runners.NAME] into runnerkit.toml, or give bootstrap --image IMAGE",
    )


def keys_of(settings: Settings, host: str) -> tuple[str, ...]:
    """The runners of a host of that name (or of one that the settings do not name)."""
    named = settings.hosts.get(host)
    return named.runners if named and named.runners is not None else tuple(settings.runners)


def of_images(settings: Settings, names: str) -> Want:
    """Job images alone, for the tasks that deal with nothing else.

    Args:
        settings: where they are defined.
        names: comma-separated, `all` of the settings among them; "" for none.

    Raises:
        KitError: a name or definition is wrong.
    """
    return Want(
        url="",
        docker=settings.docker,
        manager=settings.manager,
        images=catalog.chosen(settings, names) if names else (),
        names=catalog.names(settings),
        prune=settings.prune,
    )


def _runner(settings: Settings, key: str, image: JobImage | None) -> WantedRunner:
    spec = settings.runners[key]
    token = spec.token.read() if spec.token else None
    old = spec.registration_token.read() if spec.registration_token else None
    free = free_keys.filled(spec, f"runners.{key}", "docker", "autoscaler", "settings")
    return WantedRunner(
        key=key,
        spec=hardened(free, (spec.image, *settings.images), image is not None),
        image=image.reference if image else spec.image,
        token=tokens.check(token, "glrt-", f"the token of runner {key}"),
        registration_token=tokens.check(
            old, "GR1348941", f"the registration token of runner {key}"
        ),
        adopts=key == DEFAULT and not spec.name and len(settings.runners) == 1,
    )


def _distinct(runners: tuple[WantedRunner, ...]) -> None:
    """A token is a runner: entries that share one would be taken for each other."""
    known: dict[Secret, str] = {}
    for runner in runners:
        if runner.token and (other := known.setdefault(runner.token, runner.key)) != runner.key:
            raise KitError(
                f"the runners {other} and {runner.key} have one token, and so would be one runner",
                "create a runner in GitLab for each, and give each its own token",
            )


def _manager(manager: Manager, runners: tuple[WantedRunner, ...]) -> Manager:
    """The manager, told where plugins are that an upgrade shall not lose."""
    manager = free_keys.filled(manager, "manager", "settings")
    if not any(autoscaler.published(one.spec.autoscaler.get("plugin", "")) for one in runners):
        return manager
    environment = {**manager.environment, autoscaler.PLUGIN_PATH: autoscaler.PLUGINS}
    return replace(manager, environment=environment)
