"""What a job image is: all that goes into it, one hash of that, and the labels that carry both."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import msgspec

from runnerkit.images import platforms
from runnerkit.settings.secrets import Source

NAME, INPUTS, BASES = "runnerkit.image", "runnerkit.inputs", "runnerkit.bases"
DATES, CONTENTS = "runnerkit.base-dates", "runnerkit.base-contents"


@dataclass(frozen=True)
class JobImage:
    """An image that a team defines: everything that goes into it, and a hash of that.

    `context` is the folder beside the Dockerfile ("" where there is none), `size` its bytes.
    `bases` are those of any platform, `by_platform` those of each where they are not the same
    (``FROM build-$TARGETARCH``), `all_stages` those of all stages, which the classic builder makes.
    `secrets` are read when it is built; only their names are among the `inputs`.
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
    all_stages: tuple[str, ...] = ()
    inputs: str = ""
    size: int = 0

    @property
    def reference(self) -> str:
        """The plain name, which config.toml and .gitlab-ci.yml use: a rebuild changes neither."""
        return f"{self.name}:latest"

    def on(self, architecture: str, buildkit: bool = True) -> Self:
        """The same as it is built on a host, which its kernel's name for its processor tells."""
        bases = self.by_platform.get(platforms.of(architecture), self.bases)
        bases = bases if buildkit else tuple(dict.fromkeys((*bases, *self.all_stages)))
        return self if bases == self.bases else replace(self, bases=bases)

    def hashed(self, bases: Mapping[str, str]) -> str:
        """The name that says what is in it: the inputs, and the contents of the bases."""
        return hashed(self.name, self.inputs, bases)

    def marks(
        self,
        bases: Mapping[str, str],
        dates: Mapping[str, str],
        contents: Mapping[str, str] | None = None,
    ) -> dict[str, str]:
        """The labels by which the image is known again on any host.

        Args:
            bases: the ids of its bases, as the engine that builds has them.
            dates: when these were made.
            contents: what they are to any engine, where their ids do not say that.
        """
        both = {NAME: self.name, INPUTS: self.inputs}
        lists = {BASES: bases, DATES: dates, CONTENTS: bases if contents is None else contents}
        return {
            **self.labels,
            **both,
            **{key: json.dumps(dict(sorted(each.items()))) for key, each in lists.items()},
        }


def hashed(name: str, inputs: str, bases: Mapping[str, str]) -> str:
    """The name of a build: of these inputs, on bases with these contents."""
    return f"{name}:{short_hash([inputs, sorted(bases.items())])}"


def short_hash(parts: object) -> str:
    """Twelve hex digits that stand for anything that JSON can say."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def labels(image: Mapping[str, Any]) -> dict[str, str]:
    """The labels of an image as the engine inspects it: whatever its author wrote."""
    return (image.get("Config") or {}).get("Labels") or {}


def built_on(image: Mapping[str, Any]) -> dict[str, str]:
    """The bases of an image that the kit built, and what ids they had."""
    return pairs(labels(image), BASES)


def pairs(marks: Mapping[str, str], label: str) -> dict[str, str]:
    """What one of the labels holds that are JSON; empty where the kit has not written it."""
    try:
        return msgspec.json.decode(marks.get(label, "{}"), type=dict[str, str])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}


def built_of(image: Mapping[str, Any]) -> dict[str, str]:
    """The bases of an image that the kit built, and what their contents were."""
    marks = labels(image)
    return pairs(marks, CONTENTS if CONTENTS in marks else BASES)


def hashed_name(image: Mapping[str, Any]) -> str:
    """The name with the hash that an image which the kit built should have, by its labels."""
    marks = labels(image)
    return hashed(marks.get(NAME, ""), marks.get(INPUTS, ""), built_of(image))
