"""Tables of a host's files as settings may hold them: no default of the program's, no secret in clear."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from runnerkit.redact import mask
from runnerkit.settings.free_keys import REFERENCE, SOURCES, VARIABLES, judged_by
from runnerkit.settings.secrets import Secret, names_secret

Note = Callable[[str, str], None]  # told what is left out: its path, and why
# What gitlab-runner writes where nothing was said: register and saves of 15.11 and 17.5.
GLOBALS: dict[str, Any] = {
    "check_interval": 0,
    "shutdown_timeout": 0,
    "connection_max_age": "15m0s",
    "session_server": {"session_timeout": 1800},
}
RUNNER: dict[str, Any] = {
    "limit": 0,
    "output_limit": 0,
    "request_concurrency": 0,
    "cache": {
        "Shared": False,
        "MaxUploadedArchiveSize": 0,
        "s3": {"Insecure": False, "AssumeRoleMaxConcurrency": 0},
    },
}
DOCKER: dict[str, Any] = {
    **dict.fromkeys(("tls_verify", "privileged", "disable_cache", "volume_keep"), False),
    **dict.fromkeys(("disable_entrypoint_overwrite", "oom_kill_disable"), False),
    **dict.fromkeys(("shm_size", "network_mtu"), 0),
    "volumes": ["/cache"],
}
SECRET = "holds what looks like a secret, which no reference can stand for there"
HALF = "is no text, as half of a letter is in it"
STRANGE = "is no value that gitlab-runner takes, and reads like where a secret is kept"


class _Unsayable(Exception):
    """No settings can say it."""


def table(value: object) -> Mapping[str, Any]:
    """The value where it is a table; else an empty one."""
    return value if isinstance(value, Mapping) else {}


def without(
    defaults: Mapping[str, Any], found: Mapping[str, Any], own: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The table without what says no more than its absence.

    Args:
        defaults: what the program writes where nothing was said.
        found: the table.
        own: keys that the kit remembers to have written, which would go if no settings named them.
    """
    left = {}
    for key, value in found.items():
        usual, inner = defaults.get(key), (own or {}).get(key)
        one = without(table(usual), value, table(inner)) if isinstance(value, Mapping) else value
        same = type(one) is type(usual) and one == usual and inner is None
        if one not in ("", [], {}) and not same:
            left[key] = one
    return left


def sayable(found: Mapping[str, Any], path: str, note: Note, above: str = "") -> dict[str, Any]:
    """The table with each secret as one, and without what no settings can say."""
    result: dict[str, Any] = {}
    for key, value in found.items():
        where, name = f"{path}.{key}", judged_by(key, above)
        try:
            _whole(key)
            if isinstance(value, Mapping) and not _source(value, name):
                result[key] = sayable(value, where, note, name)
            else:
                result[key] = _said(value, name)
        except _Unsayable as error:
            note(where, str(error))
    return result


def common(tables: list[Mapping[str, Any]], path: str, note: Note) -> dict[str, Any]:
    """What all hosts' tables say alike; what differs stays as each host has it."""
    first, *others = tables
    result: dict[str, Any] = {}
    for key in dict.fromkeys(key for each in tables for key in each):
        values, where = [each.get(key) for each in tables], f"{path}.{key}"
        if all(isinstance(one, Mapping) for one in values):
            result[key] = common(values, where, note)  # type: ignore[arg-type]  # tables, all of them
        elif key in first and all(key in one and one[key] == first[key] for one in others):
            result[key] = first[key]
        else:
            note(where, "differs between the hosts")
    return result


def _said(value: Any, key: str) -> Any:
    if isinstance(value, Mapping):
        if _source(value, key):
            raise _Unsayable(STRANGE)
        return {_whole(inner): _said(one, judged_by(inner, key)) for inner, one in value.items()}
    if isinstance(value, list) and key == VARIABLES:
        return _variables(value)
    if isinstance(value, list):
        return [_said(one, key) for one in value]
    if names_secret(key) and value and not isinstance(value, bool):
        return _secret(value)
    if isinstance(value, str) and mask(value) != value:
        raise _Unsayable(SECRET)
    return _whole(value) if isinstance(value, str) else value


def _whole(text: str) -> str:
    """The text, which JSON may have given half a letter."""
    if re.search("[\ud800-\udfff]", text):
        raise _Unsayable(HALF)
    return text


def _secret(value: Any) -> Any:
    if not isinstance(value, str) or value.strip() != value or "\0" in value:
        raise _Unsayable(SECRET)
    return value if REFERENCE.fullmatch(value) else Secret(value)


def _variables(lines: list[Any]) -> Any:
    """Variables as the list that they are, or where one is a secret, as a table."""
    if not all(isinstance(one, str) for one in lines):
        raise _Unsayable("is no list of variables")
    pairs = [one.partition("=") for one in lines]
    values: dict[str, Any] = {}
    for name, _, value in pairs:
        if names_secret(name) and value:
            values[name] = _secret(value)
        elif mask(f"{name}={value}") != f"{name}={value}":
            raise _Unsayable(SECRET)
        else:
            values[name] = value
    if not any(isinstance(one, Secret) for one in values.values()):
        return lines
    if len(values) < len(lines) or not all(name and sign for name, sign, _ in pairs):
        raise _Unsayable(SECRET)
    return values


def _source(value: Mapping[str, Any], key: str) -> bool:
    """Whether settings could take it for where a secret is kept: a host's word is never that."""
    return names_secret(key) and bool({*value} & SOURCES)
