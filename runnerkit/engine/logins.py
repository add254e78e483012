"""This machine's own logins at registries (`docker login`), and which of them a host's engine is given.

Whoever writes a Dockerfile names registries, and an engine shows a login to whom it asks: so an image's
own registry gets it, if the settings name that, and no mirror.
"""

import re
import warnings
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import docker
from docker import auth

from runnerkit.images.reference import HUB, registry

ALIASES = (HUB, "index.docker.io", "registry-1.docker.io")  # Docker Hub, by any name
PARTS = ("username", "password", "identitytoken")
WANTED = re.compile("(?i)unauthori[sz]ed|denied|authentication required|no basic auth|docker login")


@dataclass(frozen=True)
class Login:
    """What an engine is given for one image; `fix` is what to do should the registry want another."""

    config: dict[str, Any] = field(default_factory=dict, repr=False)
    fix: str = ""


def for_pull(client: docker.APIClient, image: str, allowed: Collection[str]) -> Login:
    """The login for an image.

    Args:
        client: the engine that pulls it.
        image: its name.
        allowed: the registries that the settings name as those that get one.
    """
    name = registry(image)
    if not name or _known(name) not in {_known(one) for one in allowed}:
        again = f'add "{name}" to [docker] registry_logins, and docker login {name} on this machine'
        return Login(fix=f"where {name or 'its registry'} wants a login, {again}")
    if name == HUB and client.info().get("RegistryConfig", {}).get("Mirrors"):
        way = f"name it as {ALIASES[-1]}/…, where the host's engine asks no mirror"
        return Login(fix=f"where {HUB} wants a login, which mirrors must not see, {way}")
    found = own(image)
    return Login(found, "" if found else f"docker login {name} on this machine, if it wants one")


def own(image: str) -> dict[str, Any]:
    """This machine's own login at an image's registry; none where its store of logins fails."""
    if not (name := registry(image)):
        return {}
    try:
        with warnings.catch_warnings(action="ignore"):  # of a helper that is missing
            found = auth.load_config().resolve_authconfig(_known(name))
    except Exception:  # the library checks little of the file, and helpers are other programs
        return {}
    if not found:
        return {}
    # The engine shows it to that server alone.
    place = auth.INDEX_URL if name == HUB else name
    parts = {key.lower(): value for key, value in found.items()}
    return {key: parts[key] for key in PARTS if key in parts} | {"serveraddress": place}


def _known(name: str) -> str:
    return HUB if name in ALIASES else name
