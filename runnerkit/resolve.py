"""What the settings make of a host: names resolved, secrets read."""

import dataclasses
import hashlib
import os
from collections.abc import Collection

from msgspec.structs import replace

from runnerkit.errors import KitError
from runnerkit.images import catalog
from runnerkit.images.definition import JobImage
from runnerkit.images.reference import nearest_name
from runnerkit.place import settings_file
from runnerkit.settings import autoscaler, cache, free_keys, tokens
from runnerkit.settings.access import Access, access
from runnerkit.settings.cache import CacheSettings
from runnerkit.settings.hardening import hardened
from runnerkit.settings.hosts import HostSettings
from runnerkit.settings.model import DEFAULT, Manager, Settings
from runnerkit.settings.secrets import Secret
from runnerkit.want import Cache, OwnCache, Want, WantedRunner, bare


def of_host(
    settings: Settings, host: str, empty: bool = False, beside: Collection[str] = ()
) -> Want:
    """What the settings make of a host of that name (or of one that they do not name).

    Args:
        settings: what is wanted.
        host: its name.
        empty: whether it may have no runner.
        beside: the hosts of the run, which are all that there are where the settings name none.

    Raises:
        KitError: there is no runner, and there must be; or a name, token or image definition is wrong.
    """
    url = bare(settings.gitlab.url)
    if not url:
        raise KitError(
            "no GitLab is named",
            "write [gitlab] url = … into runnerkit.toml, or give bootstrap --url https://…",
        )
    if not (keys := keys_of(settings, host)) and not empty:
        raise none()
    found = {key: catalog.find(settings, settings.runners[key].image) for key in keys}
    outside = access_of(settings, host)
    runners = tuple(
        _runner(settings, key, found[key], settings.hosts or beside, outside) for key in keys
    )
    _distinct(runners)
    return Want(
        url=url,
        docker=free_keys.filled(settings.docker, "docker", "daemon"),
        manager=_manager(settings, runners, outside),
        runners=runners,
        images=catalog.closed(settings, [image.name for image in found.values() if image]),
        names=catalog.names(settings),
        api=settings.gitlab.api_token is not None,
        prune=settings.prune,
        golden=settings.golden,
        network=outside,
        origin=_origin(),
        caches=_caches(settings, host),
        cache=_own_cache(settings, host, outside.ca),
    )


def _caches(settings: Settings, host: str) -> tuple[Cache, ...]:
    """Those that a host asks: its own alone, where it runs one."""
    found = [
        Cache(name, _at(one, settings.cache)) for name, one in settings.hosts.items() if one.cache
    ]
    return tuple([one for one in found if one.host == host] or found)


def _at(host: HostSettings, section: CacheSettings) -> str:
    ip = cache.address(host)
    return f"{f'[{ip}]' if ':' in ip else ip}:{section.port}"


def _own_cache(settings: Settings, host: str, ca: str) -> OwnCache | None:
    named, section, docker = settings.hosts.get(host), settings.cache, settings.docker
    if not named or not named.cache:
        return None
    password = section.password.read() if section.password else None
    if section.password and not password:
        raise KitError(f"cache.password is empty: {section.password}", "set it, and run again")
    # A mirror of somebody else's is not shown a login.
    usual = cache.HUB_URL if password else next(iter(docker.fixed_mirrors), cache.HUB_URL)
    image, upstream = cache_image(settings), section.upstream or usual
    place = _at(named, section)
    return OwnCache(place, section.max_gb, upstream, image, section.username, password, ca)


def cache_image(settings: Settings) -> str:
    """What a host runs the site's cache from."""
    return nearest_name(settings.docker.registry_image, settings.docker.prefix_mirrors)


def _origin() -> str:
    """What tells the settings file from others: where it is."""
    file = settings_file()
    place = f"{os.uname().nodename}:{file.resolve()}" if file else ""
    return place and hashlib.sha256(place.encode()).hexdigest()[:12]


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


def with_access(want: Want, settings: Settings, host: str) -> Want:
    """What is wanted, on a host of that name, which may have a proxy of its own."""
    return dataclasses.replace(want, network=access_of(settings, host))


def access_of(settings: Settings, host: str) -> Access:
    """How a host of that name reaches what is outside."""
    named = settings.hosts.get(host)
    own = named.network if named else None
    return access(settings.network, own, [one.address for one in _caches(settings, host)])


def _runner(
    settings: Settings, key: str, image: JobImage | None, hosts: Collection[str], outside: Access
) -> WantedRunner:
    spec = settings.runners[key]
    token = spec.token.read() if spec.token else None
    old = spec.registration_token.read() if spec.registration_token else None
    named = nearest_name(spec.image, settings.docker.prefix_mirrors)
    free = free_keys.filled(spec, f"runners.{key}", "docker", "autoscaler", "settings")
    free = replace(free, settings=outside.beside(free.settings))
    return WantedRunner(
        key=key,
        spec=hardened(free, (named, spec.image, *settings.images), image is not None),
        image=image.reference if image else named,
        token=tokens.check(token, "glrt-", f"the token of runner {key}"),
        registration_token=tokens.check(
            old, "GR1348941", f"the registration token of runner {key}"
        ),
        hosts=sum(key in keys_of(settings, host) for host in hosts) if spec.token else 1,
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


def _manager(settings: Settings, runners: tuple[WantedRunner, ...], outside: Access) -> Manager:
    """The manager with its proxy, told where plugins are that an upgrade shall not lose."""
    manager = free_keys.filled(settings.manager, "manager", "settings")
    manager = replace(
        manager,
        image=nearest_name(manager.image, settings.docker.prefix_mirrors),
        environment={**outside.variables, **manager.environment},
    )
    if not any(autoscaler.published(one.spec.autoscaler.get("plugin", "")) for one in runners):
        return manager
    environment = {**manager.environment, autoscaler.PLUGIN_PATH: autoscaler.PLUGINS}
    return replace(manager, environment=environment)
