"""What an image is, whichever engine has it.

An id does not tell: the classic store has the digest of the configuration for one, containerd's that
of a manifest or an index, which depends on how the layers were packed and what was added to them.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from runnerkit.images.definition import BASES, labels

# What every engine since 19.03 shows of a configuration (moby/docker-image-spec); older ones show
# much besides, of a container that there is not.
CONFIG = (
    *("User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels"),
    *("StopSignal", "OnBuild", "Shell"),
)
HEALTH = ("Test", "Interval", "Timeout", "StartPeriod", "Retries")
NO_TIME = "0001-01-01T00:00:00Z"  # how engines before 25 say that there is none


def content(image: Mapping[str, Any]) -> str:
    """A digest of an image's configuration and unpacked layers, of its id where these are not known.

    Args:
        image: as an engine inspects it.
    """
    if "RootFS" not in image:
        return str(image["Id"])
    config, created = dict(image.get("Config") or {}), image.get("Created") or ""
    config["Labels"] = {key: one for key, one in labels(image).items() if key != BASES}  # ids
    health = config.get("Healthcheck") or {}
    parts = {
        "platform": [image.get("Os"), image.get("Architecture")],
        "created": "" if created == NO_TIME else created,
        "config": {key: config[key] for key in CONFIG if config.get(key)},
        "health": {key: health[key] for key in HEALTH if health.get(key)},
        "layers": layers(image),
    }
    return "sha256:" + hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def layers(image: Mapping[str, Any]) -> list[str]:
    """The digests of its layers, unpacked, from the base up."""
    return (image.get("RootFS") or {}).get("Layers") or []


def store(info: Mapping[str, Any]) -> str:
    """Whose store an engine's images are in, by its ``docker info``: "classic" or "containerd"."""
    status = info.get("DriverStatus") or ()
    return "containerd" if "io.containerd.snapshotter" in str(status) else "classic"


def may_be_containerds(info: Mapping[str, Any]) -> bool:
    """Whether images are in containerd's store, or may come to be where there is no Docker yet."""
    return not info or store(info) == "containerd"


def instant(time: str) -> float:
    """Seconds since 1970 of a time as Docker writes it, to the second; 0 of what is none."""
    try:
        return datetime.fromisoformat(re.sub(r"\.\d+", "", time)).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        return 0
