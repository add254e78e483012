"""All that a host's Docker has: whose each is, is for others to say."""

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class OwnedContainer:
    """A container: the id of its image, the short token of the runner that it says it is a job's of
    ("" for none), and its volumes."""

    name: str
    image: str = ""
    runner: str = ""
    volumes: tuple[str, ...] = ()


@dataclass(frozen=True)
class OwnedVolume:
    """A volume, and the short token of the runner that it says it is of."""

    name: str
    runner: str = ""


@dataclass(frozen=True)
class OwnedImage:
    """An image: its names, whether a registry has it too, and the job image that it says it is."""

    id: str
    names: tuple[str, ...] = ()
    elsewhere: bool = False
    job_image: str = ""


@dataclass(frozen=True)
class Belongings:
    """What there is. `needed` are packages that came with Docker, and others need by now; `whole` says
    that nothing is missing."""

    containers: tuple[OwnedContainer, ...] = ()
    volumes: tuple[OwnedVolume, ...] = ()
    images: tuple[OwnedImage, ...] = ()
    needed: tuple[str, ...] = ()
    whole: bool = False


def parse(text: str) -> Belongings:
    """Read what the look tells; what has gone between its listing and its inspection is an empty line."""
    lines = [json.loads(line) for line in text.splitlines() if line]
    return Belongings(
        tuple(
            OwnedContainer(
                one["container"].lstrip("/"), one["image"], one["runner"], tuple(one["volumes"])
            )
            for one in lines
            if "container" in one
        ),
        tuple(OwnedVolume(one["volume"], one["runner"]) for one in lines if "volume" in one),
        tuple(
            OwnedImage(one["image"], tuple(one["tags"] or ()), bool(one["digests"]), one["kit"])
            for one in lines
            if "tags" in one
        ),
        tuple(one["needed"] for one in lines if "needed" in one),
        any("whole" in one for one in lines),
    )
