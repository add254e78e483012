"""The Docker Engine, as the settings have it."""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from runnerkit.settings.kinds import Prefix, Reference, Registry

AUTO: Final = "auto"


class Docker(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The Docker Engine of the hosts. What was never named here stays as it is in their daemon.json."""

    source: Literal["distro", "docker-ce", "script", "present"] = "distro"
    """Where Docker is installed from, on a host that has none: the distribution's own package,
    Docker's packages, the script of get.docker.com, or nowhere (`present` never installs)."""
    package_mirror: Annotated[
        str, Meta(pattern=r"^(https?://.+|auto|Aliyun|AzureChinaCloud)?$", title="URL")
    ] = ""
    """Where `docker-ce` or `script` download from in place of download.docker.com: a URL; for `docker-ce`
    also `auto`, the fastest of those that are known; or a name that the script knows, `Aliyun` or
    `AzureChinaCloud`."""
    package_key: Annotated[str, Meta(pattern=r"^([0-9A-F]{40})?\Z", title="fingerprint")] = ""
    """The key that signs `docker-ce`'s packages, where a mirror does so itself. Empty: Docker's own."""
    script_sha256: Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?\Z", title="checksum")] = ""
    """What the script of `source = "script"` must be; needed where a `package_mirror` has it."""
    registry_mirrors: (
        Literal["auto"] | tuple[Annotated[str, Meta(pattern=r"^https?://.+$", title="URL")], ...]
    ) = ()
    """Registry mirrors that the hosts' daemons ask for Docker Hub's images, the first first. With
    `"auto"` those that serve each host all that it needs, three at most, the fastest first: they are
    asked when none is chosen yet, and when images are to be pulled."""
    prefix_mirrors: dict[Registry, Prefix] = {}
    """Where images of a registry are pulled from first, as names that begin so: with
    `{ "registry.gitlab.com" = "m.example.com/registry.gitlab.com" }` the helper image comes from there,
    and keeps its own name. Also for `docker.io`, of which images then need no registry mirror."""
    mirror_candidates: tuple[
        Annotated[
            str,
            Meta(pattern=r"^(https?://[^/?#@\s]+/?|list)\Z", title="URL without a path, or list"),
        ],
        ...,
    ] = ("list",)
    """Mirrors that `mirror.probe` and `"auto"` ask besides those in use; `list` stands for the public ones that come
    with the kit, of which none is trusted for being there."""
    daemon: dict[str, Any] = {}
    """Any other keys of daemon.json, for example `{ log-opts = { max-size = "50m" } }`. Objects are
    merged key by key with what the host has. The daemon is reloaded or restarted as they need."""
    min_free_mb: Annotated[int, Meta(ge=0)] = 2048
    """How much of a host's disk must stay free when images come to it, in MB. With less, nothing is
    begun."""
    metadata: Literal["", "open", "closed"] = ""
    """Whether containers reach the cloud's metadata address, by which they are the machine to the
    cloud. Left out: closed where a runner is shared, unless an autoscaler's manager needs it."""
    registry_logins: tuple[Registry, ...] = ()
    """Registries for which hosts are given this machine's own `docker login`, when they pull from them:
    `registry.example.com:5000`, `docker.io`. No other registry gets one, whatever a Dockerfile names."""
    registry_image: Reference = (
        "registry:2.8.3@sha256:a3d8aaa63ed8681a604f1dea0aa03f100d5895b6a58ace528858a7b332415373"
    )
    """The registry that `image.ship` starts on the sending host, on loopback, to send layers: one of
    the project distribution. Name your own by its digest too, where others can write to its place."""

    @property
    def fixed_mirrors(self) -> tuple[str, ...]:
        """The mirrors that the settings name themselves."""
        return () if self.registry_mirrors == AUTO else self.registry_mirrors
