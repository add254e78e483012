"""The air-gap bundle, as the settings have it."""

from typing import Annotated

import msgspec
from msgspec import Meta

from runnerkit.settings.kinds import Reference

System = Annotated[
    str,
    Meta(
        pattern=r"^[a-z]+-\d+(\.\d+)?\Z",
        description="a system by its ID and VERSION_ID of os-release: debian-12, ubuntu-24.04",
    ),
]


class BundleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The bundle for hosts that reach nothing (`bundle.make`, `bootstrap --bundle`)."""

    bases: dict[System, Reference] = {}
    """The image of each system in which its packages are looked up, where it is not Docker Hub's own:
    `{ debian-12 = "registry.example.com/debian:12" }`."""
    signed_by: Annotated[str, Meta(pattern=r"^(ssh-|ecdsa-|sk-)?[^\n]*\Z", title="public key")] = ""
    """The public key of ssh, `ssh-ed25519 AAAA…`, that must have signed a bundle. Empty: none must."""
