"""How one host reaches what is outside: a host's own keys laid over the common ones, the rest read."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from runnerkit.errors import KitError, text_of
from runnerkit.settings import free_keys
from runnerkit.settings.network import Network
from runnerkit.settings.no_proxy import passed_by
from runnerkit.settings.secrets import Secret

# The host itself; Docker's own network, as it is unless somebody has moved it.
NEAR = ("localhost", "127.0.0.0/8", "127.0.0.1", "::1", "172.17.0.0/16")
SERVICES = ("docker",)  # a job's own Docker, as its service is called
_CERTIFICATE = re.compile(
    r"-----BEGIN CERTIFICATE-----\r?\n.*?-----END CERTIFICATE-----", re.DOTALL
)


@dataclass(frozen=True)
class Access:
    """`proxy` is its address with user and password, "" for none; `secret` whether a password is in it;
    `no_proxy` what goes around it; `ca` certificates as PEM."""

    proxy: str = ""
    secret: bool = False
    no_proxy: tuple[str, ...] = ()
    ca: str = ""

    def __repr__(self) -> str:
        return "Access(…)"  # a password may be in it

    @property
    def address(self) -> str:
        """The proxy's address as people may see it."""
        parts = urlsplit(self.proxy)
        return self.proxy and f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    @property
    def around(self) -> str:
        """NO_PROXY."""
        return ",".join(dict.fromkeys((*NEAR, *self.no_proxy)))

    @property
    def variables(self) -> Mapping[str, str]:
        """By the names that Go's programs read; none without a proxy."""
        names = ("HTTP_PROXY", "HTTPS_PROXY")
        found = {**dict.fromkeys(names, self.proxy), "NO_PROXY": self.around}
        return found if self.proxy else {}

    @property
    def both(self) -> Mapping[str, str]:
        """In small letters too, which curl, git and package managers read."""
        return {**self.variables, **{key.lower(): one for key, one in self.variables.items()}}

    @property
    def of_jobs(self) -> Mapping[str, str | Secret]:
        """Of jobs, whose services have names besides."""
        more = ",".join((self.around, *SERVICES))
        values = {key: more if "no" in key.lower() else one for key, one in self.both.items()}
        return {
            key: Secret(one) if self.secret and one == self.proxy else one
            for key, one in values.items()
        }

    def beside(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Keys of an entry of config.toml, with these among its jobs' variables where it does not say them."""
        if not self.proxy:
            return {**settings}
        own = settings.get(free_keys.VARIABLES, {})
        if isinstance(own, list):
            own = {name: value for name, _, value in (one.partition("=") for one in own)}
        return {**settings, free_keys.VARIABLES: {**self.of_jobs, **own}}

    def through(self, url: str) -> str:
        """The proxy by which an address is reached; "" for none."""
        return "" if passed_by(url, self.around.split(",")) else self.proxy


DIRECT = Access()


def access(common: Network, own: Network | None = None, caches: Sequence[str] = ()) -> Access:
    """What a host has.

    Args:
        common: for all hosts.
        own: the host's own keys, if any.
        caches: the site's, as ADDRESS:PORT: they are near by.

    Raises:
        KitError: the password is not there, or the file has no certificates.
    """
    own = own or Network()
    source = common if own.proxy is None else own  # a password is one proxy's
    no_proxy = common.no_proxy if own.no_proxy is None else own.no_proxy
    file = common.ca_file if own.ca_file is None else own.ca_file
    proxy = (source.proxy or "").rstrip("/")
    secret = proxy and source.proxy_password
    return Access(
        proxy=_with_password(proxy, source) if secret else proxy,
        secret=bool(secret),
        no_proxy=(*(no_proxy or ()), *caches),
        ca=certificates(file or ""),
    )


def _with_password(proxy: str, source: Network) -> str:
    assert source.proxy_password
    password = source.proxy_password.read()
    if password is None:
        raise KitError(
            f"network.proxy_password is empty: {source.proxy_password}", "set it, and run again"
        )
    scheme, _, rest = proxy.partition("://")
    user, _, place = rest.rpartition("@")
    return f"{scheme}://{user}:{quote(password.reveal(), safe='')}@{place}"


def certificates(file: str) -> str:
    """Those of a file; "" without one. A private key beside them goes nowhere.

    Raises:
        KitError: it has none.
    """
    if not file:
        return ""
    import ssl

    text = text_of(
        Path(file).expanduser(), "correct [network] ca_file: a file of certificates on this machine"
    )
    blocks = [found.replace("\r", "") for found in _CERTIFICATE.findall(text)]
    pem = "".join(f"{block}\n" for block in blocks)
    try:
        ssl.create_default_context(cadata=pem or None)
        good = bool(blocks)
    except (ValueError, ssl.SSLError):
        good = False
    if not good:
        raise KitError(
            f"{file} has no certificates that can be read",
            "name a file of PEM as network.ca_file: -----BEGIN CERTIFICATE-----",
        )
    return pem
