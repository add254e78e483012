"""A cache of Docker Hub's images for a site, as the settings have it."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from runnerkit.settings.hosts import HostSettings
from runnerkit.settings.secrets import Source

HUB_URL = "https://registry-1.docker.io"


class CacheSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The cache of Docker Hub's images that each host with `cache = true` runs, and all hosts ask first."""

    port: Annotated[int, Meta(ge=1, le=65535)] = 5443
    """Its port, TLS alone, on the address that the other hosts reach. Whoever reaches it can read what
    it can."""
    max_gb: Annotated[int, Meta(ge=1)] = 50
    """How much of the disk it may have, in GB: what nobody asked for the longest goes first. It also
    leaves free what `docker.min_free_mb` says."""
    upstream: Annotated[str, Meta(pattern=r"^(https?://.+)?$", title="URL")] = ""
    """Where it gets images from. Left out: the first of `docker.registry_mirrors`; without one, or with
    a login, Docker Hub."""
    username: str = ""
    """The account at Docker Hub that it pulls with, for its larger quota. Take one without private
    images: whoever reaches the port could read those."""
    password: Source | None = None
    """That account's access token, of which reading public images is all that it needs."""


def address(host: HostSettings | Mapping[str, Any]) -> str:
    """The IP address by which hosts reach a host's cache; "" where none is known."""
    values = host if isinstance(host, Mapping) else msgspec.structs.asdict(host)
    login = str(values.get("address", "")).rpartition("@")[2]
    own = re.sub(r"^\[(.*)\](:\d+)?$|^([^:]*):\d+$", r"\1\3", login)
    named = str(values.get("cache_address") or own)
    try:
        return "" if "%" in named else str(ip_address(named))  # a zone is one host's own matter
    except ValueError:
        return ""


def mistakes(data: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with it taken together, a line each."""
    section = data.get("cache", {})
    for one, other in (("username", "password"), ("password", "username")):
        if section.get(one) and not section.get(other):
            yield f"cache.{other}: missing: {one} is of no use without"
    for name, body in data.get("hosts", {}).items():
        if not body.get("cache"):
            continue
        found = address(body)
        if not found:
            key = f"hosts.{name}.cache_address"
            yield f"{key}: needed: the IP address by which the other hosts reach its cache"
        elif ip_address(found).is_unspecified or ip_address(found).is_multicast:
            yield f"hosts.{name}.cache_address: {found} is no address of one host: name the right one"
