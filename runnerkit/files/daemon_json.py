"""dockerd's own file on the host: what it says, and the same with our keys laid over."""

import json
from typing import Any

from runnerkit.errors import KitError
from runnerkit.facts import Facts

PATH = "/etc/docker/daemon.json"


def parsed(have: Facts) -> dict[str, Any]:
    """What the host's file says; {} where there is none.

    Raises:
        KitError: it is not a JSON object.
    """
    file = have.files.get(PATH)
    try:
        data = json.loads((file.text if file else "") or "{}")
    except json.JSONDecodeError as error:
        raise KitError(f"{PATH} on the host is not JSON: {error}", "repair it there") from None
    if not isinstance(data, dict):
        raise KitError(f"{PATH} on the host is not a JSON object", "repair it there")
    return data


def merged(now: dict[str, Any], managed: dict[str, Any]) -> dict[str, Any]:
    """What is there, with our keys over it, and with our keys over those of its objects."""
    both = {
        key: {**now[key], **value}
        for key, value in managed.items()
        if isinstance(value, dict) and isinstance(now.get(key), dict)
    }
    return {**now, **managed, **both}


def buildkit(have: Facts) -> bool:
    """Whether the host builds by BuildKit, which its own file may turn off."""
    features = parsed(have).get("features")
    return not isinstance(features, dict) or features.get("buildkit", True) is not False
