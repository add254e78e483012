"""Which certificates a host's Docker trusts besides, when it asks a registry: a folder of its certs.d.

They hold for all that comes of the question: a token service elsewhere, and where layers lie.
"""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from runnerkit.facts.packages import release
from runnerkit.images.content import store
from runnerkit.images.reference import HUB

CERTS = "/etc/docker/certs.d"
TOGETHER = 29  # the major version from which containerd's store has one folder for all mirrors


def together(info: Mapping[str, Any]) -> bool:
    """Whether all mirrors of Docker Hub are asked by what is in its own folder (moby, daemon/hosts.go).

    Args:
        info: what ``docker info`` says.
    """
    version = release(str(info.get("ServerVersion", "")))
    return store(info) == "containerd" and bool(version) and version[0] >= TOGETHER


def of_registry(
    certificates: Mapping[str, str], info: Mapping[str, Any], url: str, mirror: bool
) -> str:
    """Those of the system and those of its folder, as PEM.

    Args:
        certificates: all that the host has, by file.
        info: what ``docker info`` says.
        url: the registry's address.
        mirror: whether it is asked as a mirror of Docker Hub.
    """
    folder = HUB if mirror and together(info) else urlsplit(url).netloc
    own = (one for file, one in certificates.items() if file.startswith(f"{CERTS}/{folder}/"))
    return of_system(certificates) + "".join(own)


def checked(info: Mapping[str, Any], url: str) -> bool:
    """Whether a registry's certificate must be trusted: not where `insecure-registries` have it (moby's
    isSecureIndex), which containerd's store heeds from 29 on. A name counts, or a network of addresses.

    Args:
        info: what ``docker info`` says.
        url: the registry's address.
    """
    parts = urlsplit(url)
    if store(info) == "containerd" and not together(info):
        return True
    if (own := secure(info, parts.netloc)) is not None:
        return own
    return not insecure_network(info, parts.hostname or "")


def insecure_network(info: Mapping[str, Any], host: str) -> bool:
    """Whether an address is in a network whose registries the engine takes as they are; no name is."""
    listed = (info.get("RegistryConfig") or {}).get("InsecureRegistryCIDRs") or ()
    try:
        address = ip_address(host)
        networks = [ip_network(str(one)) for one in listed]
    except ValueError:
        return False
    return any(address in one for one in networks)


def secure(info: Mapping[str, Any], server: str) -> bool | None:
    """Whether a registry is secure to an engine that knows it by its name; None where it does not."""
    known = (info.get("RegistryConfig") or {}).get("IndexConfigs") or {}
    own = known.get(server)
    return bool(own.get("Secure", True)) if own else None


def of_system(certificates: Mapping[str, str]) -> str:
    """Those that all of the host's programs trust, as PEM."""
    return "".join(text for file, text in certificates.items() if not file.startswith(f"{CERTS}/"))
