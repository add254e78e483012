"""dockerd's own file on the host: what it says, and the same with our keys laid over."""

import codecs
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from runnerkit.errors import KitError
from runnerkit.facts import Facts
from runnerkit.files import json_text, mirror_choice, outside
from runnerkit.files.merge import missing
from runnerkit.settings import free_keys
from runnerkit.settings.docker import AUTO
from runnerkit.settings.secrets import Secret
from runnerkit.want import Want

FOLDER = "/etc/docker"
PATH = f"{FOLDER}/daemon.json"
MIRRORS = "registry-mirrors"
MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
SETS = ("insecure-registries", "labels")


def text(have: Facts) -> str:
    """The host's file without a byte order mark, which also says its encoding, as dockerd has it.

    Raises:
        KitError: it is no text.
    """
    data = file.data if (file := have.files.get(PATH)) else b""
    mark = next((mark for mark in MARKS if data.startswith(mark)), b"")
    try:
        return data.removeprefix(mark).decode(MARKS.get(mark, "utf-8"))
    except UnicodeDecodeError as error:
        raise KitError(
            f"{PATH} on the host is no text: {error.reason}", "repair it there"
        ) from None


def parsed(have: Facts) -> dict[str, Any]:
    """What the host's file says; {} where there is none, or nothing in it.

    Raises:
        KitError: it is not a JSON object.
    """
    try:
        data = json.loads(text(have).strip() or "{}", parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise KitError(f"{PATH} on the host is not JSON: {error}", "repair it there") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise KitError(f"{PATH} on the host is not a JSON object", "repair it there")
    return data


def mirrors(have: Facts) -> tuple[str, ...]:
    """The registry mirrors that the file names, as dockerd takes them."""
    listed = parsed(have).get(MIRRORS)
    words = listed if isinstance(listed, list) else []
    return tuple(one.rstrip("/") for one in words if isinstance(one, str))


def others(want: Want, have: Facts) -> tuple[str, ...]:
    """Those that are no cache of the site's."""
    return tuple(one for one in mirrors(have) if one not in {each.url for each in want.caches})


def managed(want: Want, have: Facts) -> dict[str, Any]:
    """What the settings say of the file, on that host."""
    values: dict[str, Any] = {}
    if want.network.proxy and outside.own_file(have, parsed(have)):
        values["proxies"] = outside.proxies(want)
    values |= free_keys.shown(want.docker.daemon, Secret.reveal)
    near, now = [one.url for one in want.caches], others(want, have)
    if want.docker.registry_mirrors:
        chosen = mirror_choice.mirrors(want, have, now)
        if near or chosen or (now and want.docker.registry_mirrors == AUTO):
            values[MIRRORS] = [*near, *chosen]
    elif near:
        values[MIRRORS] = [*near, *(one.rstrip("/") for one in values.get(MIRRORS) or ())]
    return values


def meaning(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values without their form."""
    return {key: _meaning(key, value) for key, value in values.items()}


def differing(now: Mapping[str, Any], managed: Mapping[str, Any]) -> dict[str, Any]:
    """Those of our keys that the file does not say, or says with another meaning."""
    return {
        key: value
        for key, value in managed.items()
        if missing(_meaning(key, value), _meaning(key, now.get(key)))
    }


def edited(have: Facts, values: Mapping[str, Any], goes: Iterable[Sequence[str]] = ()) -> str:
    """The host's file with these keys laid over it, and over those of its objects, and others gone.

    All else stays as it is written.
    """
    if not parsed(have):
        return json.dumps(values, indent=2) + "\n"
    new = json_text.laid_over(text(have).lstrip(), values)
    for way in goes:
        new = json_text.without(new, way)
    return new


def _meaning(key: str, value: Any) -> Any:
    """The value without its form: dockerd ends mirrors with a slash, and takes others in any order."""
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        return value
    if key == "registry-mirrors":
        return [mirror.rstrip("/") for mirror in value]
    return sorted({*value}) if key in SETS else list(value)


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")


def buildkit(have: Facts) -> bool:
    """Whether the host builds by BuildKit, which its own file may turn off."""
    features = parsed(have).get("features")
    return not isinstance(features, dict) or features.get("buildkit", True) is not False
