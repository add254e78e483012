"""What a job image is: all that goes into it, one hash of that, and the labels that carry both."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from runnerkit.images import platforms
from runnerkit.settings.secrets import Source

NAME, INPUTS, BASES = "runnerkit.image", "runnerkit.inputs", "runnerkit.bases"
DATES = "runnerkit.base-dates"


@dataclass(frozen=True)
class JobImage:
    """An image that a team defines: everything that goes into it, and a hash of that.

    `context` is the folder beside the Dockerfile ("" where there is none), `size` its bytes.
    `bases` are those of any platform, `by_platform` those of each where they are not the same
    (``FROM build-$TARGETARCH``). `secrets` are read when it is built; only their names are among the
    `inputs`.
    """

    name: str
    dockerfile: str
    context: str = ""
    args: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    platform: str = ""
    secrets: Mapping[str, Source] = field(default_factory=dict)
    bases: tuple[str, ...] = ()
    by_platform: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    inputs: str = ""
    size: int = 0

    @property
    def reference(self) -> str:
        """The plain name, which config.toml and .gitlab-ci.yml use: a rebuild changes neither."""
        return f"{self.name}:latest"

    def on(self, architecture: str) -> Self:
        """The same as it is built on a host, which its kernel's name for its processor tells."""
        bases = self.by_platform.get(platforms.of(architecture), self.bases)
        return self if bases == self.bases else replace(self, bases=bases)

    def hashed(self, bases: Mapping[str, str]) -> str:
        """The name that says what is in it: the inputs, and the ids of the bases on a host."""
        return hashed(self.name, self.inputs, bases)

    def marks(self, bases: Mapping[str, str], dates: Mapping[str, str]) -> dict[str, str]:
        """The labels by which the image is known again on any host.

        Args:
            bases: the ids of its bases.
            dates: when these were made.
        """
        ids, times = (json.dumps(dict(sorted(each.items()))) for each in (bases, dates))
        return {**self.labels, NAME: self.name, INPUTS: self.inputs, BASES: ids, DATES: times}


def hashed(name: str, inputs: str, bases: Mapping[str, str]) -> str:
    """The name of a build: of these inputs, on bases with these ids."""
    return f"{name}:{short_hash([inputs, sorted(bases.items())])}"


def short_hash(parts: object) -> str:
    """Twelve hex digits that stand for anything that JSON can say."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def labels(image: Mapping[str, Any]) -> dict[str, str]:
    """The labels of an image as the engine inspects it."""
    return (image.get("Config") or {}).get("Labels") or {}


def built_on(image: Mapping[str, Any]) -> dict[str, str]:
    """The bases of an image that the kit built, and what ids they had."""
    return json.loads(labels(image).get(BASES, "{}"))  # type: ignore[no-any-return]


def hashed_name(image: Mapping[str, Any]) -> str:
    """The name with the hash that an image which the kit built should have, by its labels."""
    marks = labels(image)
    return hashed(marks.get(NAME, ""), marks.get(INPUTS, ""), built_on(image))
