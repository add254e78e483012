"""What a bundle holds, as its first member, bundle.json, tells it: enough to plan by.

The images are an OCI image layout (opencontainers/image-spec, image-layout.md), the packages those
of each system with all that they depend on, and each part is known by its digest.
"""

import re
from typing import Annotated

import msgspec
from msgspec import Meta

from runnerkit.errors import KitError

SCHEMA = 1
HEAD, SIGNATURE, SUMS = "bundle.json", "bundle.json.sig", "SHA256SUMS"
LAYOUT, INDEX = "oci-layout", "index.json"
ALGORITHM = "sha256:"
AGAIN = "make it anew with ./inv bundle.make"
Digest = Annotated[str, Meta(pattern=r"^sha256:[0-9a-f]{64}\Z")]
# What goes into scripts, and into names of files on hosts.
Word = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+~^:%/@-]*\Z")]


class Frozen(msgspec.Struct, frozen=True):
    """A part of the list that is never changed."""


class BundledLayer(Frozen, frozen=True):
    """A layer: its digest and bytes unpacked, and its digest as it is in the bundle."""

    diff_id: Digest
    size: int
    digest: Digest


class BundledImage(Frozen, frozen=True):
    """An image: the names that it gets; what it is to any engine (`images.content`); of a job
    image its name and inputs."""

    names: tuple[Word, ...]
    manifest: Digest
    config: Digest
    layers: tuple[BundledLayer, ...]
    content: str
    job: str = ""
    inputs: str = ""

    @property
    def blobs(self) -> tuple[str, ...]:
        """The digests of all that it is made of."""
        return (self.manifest, self.config, *(layer.digest for layer in self.layers))


class BundledPackages(Frozen, frozen=True):
    """Docker's packages of a system, for example debian-12: as which [docker] source has them, which of
    them are asked for, the index that a package manager reads, where each file of it is in the bundle,
    and their bytes installed."""

    system: Word
    source: Word
    names: tuple[Word, ...]
    index: str
    files: dict[Word, Word]
    installed: int


class BundledPlugin(Frozen, frozen=True):
    """A fleeting plugin, as the settings name it: its files by their places below the plugins' folder,
    where each is in the bundle, and what the program that fetched it tells of it."""

    name: Word
    files: dict[Word, Word]
    note: str


class Part(Frozen, frozen=True):
    """A member of the archive; `left_out` is whether only the older bundle has it."""

    size: Annotated[int, Meta(ge=0)]
    digest: Digest
    left_out: bool = False


class Contents(Frozen, frozen=True):
    """The list. `made` is when (UTC). Of a difference, `base` is the digest of the older bundle's list,
    and `former` are that one's images."""

    kit: str
    made: str
    architecture: Word
    images: tuple[BundledImage, ...]
    packages: tuple[BundledPackages, ...] = ()
    plugins: tuple[BundledPlugin, ...] = ()
    wheels: tuple[Word, ...] = ()
    parts: dict[Word, Part] = {}
    base: str = ""
    former: tuple[BundledImage, ...] = ()
    schema: int = SCHEMA

    def image(self, name: str) -> BundledImage | None:
        """The image of that name."""
        return next((one for one in self.images if name in one.names), None)

    def job(self, name: str, inputs: str) -> BundledImage | None:
        """The job image of that name, as it is defined."""
        return next((one for one in self.images if (one.job, one.inputs) == (name, inputs)), None)

    def plugin(self, name: str) -> BundledPlugin | None:
        """The fleeting plugin that settings name so."""
        return next((one for one in self.plugins if one.name == name), None)

    def of(self, system: str) -> BundledPackages | None:
        """Docker's packages of that system."""
        return next((one for one in self.packages if one.system == system), None)

    def bytes(self, names: tuple[str, ...] | list[str]) -> int:
        """The size of these members, each once."""
        return sum(self.parts[name].size for name in {*names} if name in self.parts)

    @property
    def systems(self) -> str:
        """The systems that it is for, in words."""
        found = ", ".join(f"{one.system} ({self.architecture})" for one in self.packages)
        return found or f"no system's packages ({self.architecture})"


def blob(digest: str) -> str:
    """The member that has a blob."""
    return f"blobs/sha256/{digest.removeprefix(ALGORITHM)}"


def written(contents: Contents) -> bytes:
    """The list's text."""
    return msgspec.json.format(msgspec.json.encode(contents), indent=1) + b"\n"


def parsed(text: bytes, file: str) -> Contents:
    """The list of a file.

    Raises:
        KitError: it is none, or of a later kit; or it names what it has not got.
    """
    try:
        found = msgspec.json.decode(text, type=Contents)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise KitError(f"{file} is no bundle of this kit: {error}", AGAIN) from None
    if found.schema != SCHEMA:
        what = f"{file} is of schema {found.schema}, this kit reads {SCHEMA}"
        raise KitError(what, "use the kit that made it, or make it anew with this one")
    needed = [
        *(blob(one) for image in found.images for one in image.blobs),
        *(name for packages in found.packages for name in packages.files.values()),
        *(name for plugin in found.plugins for name in plugin.files.values()),
        *found.wheels,
    ]
    if missing := [name for name in needed if name not in found.parts]:
        raise KitError(f"{file} does not list {missing[0]}, which it needs", AGAIN)
    if wrong := [one for one in found.packages for name in one.files if "/" in name]:
        raise KitError(f"{file} has packages of {wrong[0].system} with wrong names", AGAIN)
    if outside := [one for one in found.plugins for name in one.files if ".." in name.split("/")]:
        raise KitError(f"{file} has the plugin {outside[0].name} with wrong names", AGAIN)
    if wrong_blob := [
        one for one, part in found.parts.items()
        if re.match("blobs/", one) and one != blob(part.digest)
    ]:  # fmt: skip
        raise KitError(f"{file}: {wrong_blob[0]} is listed with another digest", AGAIN)
    return found
