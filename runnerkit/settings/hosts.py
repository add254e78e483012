"""A host, as the settings have it."""

from typing import Annotated

import msgspec
from msgspec import Meta

from runnerkit.settings.network import Network
from runnerkit.settings.secrets import Source


class HostSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A host, by the name that `--host` calls it. The short form is `hosts.ci1.address = "…"`."""

    address: Annotated[str, Meta(min_length=1)]
    """`[user@]address[:port]`, an alias of ssh's own settings, or `local` for this machine."""
    runners: tuple[str, ...] | None = None
    """The runners that it has, by their names here. Left out: all."""
    identity: str = ""
    """The private key's file. Left out: as ssh's own settings and agent have it."""
    sudo_password: Source | None = None
    """sudo's password, where it wants one. Left out: `RUNNERKIT_SUDO_PASSWORD`, which is given to all
    that ask, or you are asked."""
    cache: bool = False
    """Whether it runs a cache of Docker Hub's images, which all hosts ask before any mirror ([cache])."""
    cache_address: str = ""
    """The IP address of this host by which the others reach its cache. Left out: that of `address`."""
    network: Network | None = None
    """Keys of [network] that are this host's own, for example `{ proxy = "" }`."""
