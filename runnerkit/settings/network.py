"""How hosts reach what is outside, as the settings have it."""

from typing import Annotated

import msgspec
from msgspec import Meta

from runnerkit.settings.secrets import Source

Proxy = Annotated[
    str,
    Meta(
        # It goes into files of systemd and apt. Without a port, curl and Go mean different ones.
        pattern=r"^(https?://([A-Za-z0-9._~%!*+=-]+@)?([A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\]):\d{1,5}/?)?\Z",
        description="the address of a proxy, with its port and without a password (that is proxy_password): "
        "http://proxy.example.com:3128",
    ),
]
Bypass = Annotated[
    str,
    Meta(
        pattern=r"""^[^\s,"'$`\\]+\Z""",
        description="a name, an address or a network: gitlab.example.com, .example.com, 10.0.0.0/8",
    ),
]


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What stands between the hosts and all else: see [Proxy and CA](proxy.md). A host may have keys of
    its own, `hosts.X.network`."""

    proxy: Proxy | None = None
    """The proxy of the package manager, Docker, builds, the manager and jobs. A user may be named in it,
    as URLs have it: `http://user@proxy.example.com:3128`. Of a host, empty: it has none."""
    proxy_password: Source | None = None
    """The password of that user. The manager's and the jobs' variables have it in clear."""
    no_proxy: tuple[Bypass, ...] | None = None
    """What is reached without the proxy: names with all below them, addresses, networks. The host itself
    and Docker's own network always are."""
    ca_file: str | None = None
    """A file of this machine with certificates, as PEM, that hosts trust besides: of the CA of GitLab,
    of registries, or of a proxy that looks into TLS."""
