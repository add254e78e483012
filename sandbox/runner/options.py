"""The options of `register`, most of them derived from the table of config.toml's keys."""

import re

from .flags import Flag
from .schema import CACHE, RUNNER
from .schema_docker import DOCKER, ENVIRONMENT, FLAGS, Table

CONFIG_FILE = Flag(("config_file",), ("c", "config"), "CONFIG_FILE")

CREDENTIALS = [
    Flag(("url",), ("u", "url"), "CI_SERVER_URL"),
    Flag(("token",), ("t", "token"), "CI_SERVER_TOKEN"),
    Flag(("tls-ca-file",), ("tls-ca-file",), "CI_SERVER_TLS_CA_FILE"),
    Flag(("tls-cert-file",), ("tls-cert-file",), "CI_SERVER_TLS_CERT_FILE"),
    Flag(("tls-key-file",), ("tls-key-file",), "CI_SERVER_TLS_KEY_FILE"),
]

# The seven that belong to the server when the token is a glrt- one.
RESERVED = [
    Flag(("tag_list",), ("tag-list",), "RUNNER_TAG_LIST"),
    Flag(("run_untagged",), ("run-untagged",), "REGISTER_RUN_UNTAGGED", "bool"),
    Flag(("locked",), ("locked",), "REGISTER_LOCKED", "bool"),
    Flag(("access_level",), ("access-level",), "REGISTER_ACCESS_LEVEL"),
    Flag(("maximum_timeout",), ("maximum-timeout",), "REGISTER_MAXIMUM_TIMEOUT", "int"),
    Flag(("paused",), ("paused",), "REGISTER_PAUSED", "bool"),
    Flag(("maintenance_note",), ("maintenance-note",), "REGISTER_MAINTENANCE_NOTE"),
]

COMMAND = [
    CONFIG_FILE,
    Flag(("template",), ("template-config",), "TEMPLATE_CONFIG_FILE"),
    Flag(("interactive_off",), ("n", "non-interactive"), "REGISTER_NON_INTERACTIVE", "bool"),
    Flag(("leave_runner",), ("leave-runner",), "REGISTER_LEAVE_RUNNER", "bool"),
    Flag(
        ("registration_token",),
        ("r", "registration-token"),
        "REGISTRATION_TOKEN",
    ),
    *RESERVED,
]

_RUNNER_FLAGS = {"name": ("name", "description"), "environment": ("env",)}
_RUNNER_ENV = {
    "environment": "RUNNER_ENV",
    "clone_url": "CLONE_URL",
    "feature_flags": "FEATURE_FLAGS",
}
_NOT_FLAGS = {"url", "id", "token", "labels", "monitoring"}


def _dashes(key: str) -> str:
    return key.replace("_", "-")


def runner_flags() -> list[Flag]:
    """`--name`, `--executor`, `--limit`, `--builds-dir`, …: the scalars of [[runners]]."""
    return [
        Flag(
            (key,),
            _RUNNER_FLAGS.get(key, (_dashes(key),)),
            _RUNNER_ENV.get(key, f"RUNNER_{key.upper()}"),
            kind.rstrip("!"),
        )
        for key, kind in RUNNER.items()
        if isinstance(kind, str)
        and kind.rstrip("!") not in {"time", "any"}
        and not key.startswith("tls-")
        and key not in _NOT_FLAGS
    ]


def docker_flags() -> list[Flag]:
    """`--docker-image` and its like, one for each key of [runners.docker]."""
    return [
        Flag(
            ("docker", key),
            (f"docker-{FLAGS.get(key, _dashes(key))}",),
            ENVIRONMENT.get(key, f"DOCKER_{key.upper()}"),
            kind.rstrip("!"),
        )
        for key, kind in DOCKER.items()
        if isinstance(kind, str) and kind != "any"
    ]


def cache_flags() -> list[Flag]:
    return list(_cache(CACHE, ("cache",)))


def _cache(table: Table, path: tuple[str, ...]) -> list[Flag]:
    flags: list[Flag] = []
    for key, kind in table.items():
        if isinstance(kind, dict):
            flags += _cache(kind, (*path, key))
        elif isinstance(kind, str):
            snake = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", key).lower()
            name = snake if key == "AuthenticationType" else _dashes(snake)
            env = "_".join((*path, snake)).upper()
            flags.append(Flag((*path, key), (f"{'-'.join(path)}-{name}",), env, kind.rstrip("!")))
    return flags


def register_flags() -> list[Flag]:
    return [*COMMAND, *CREDENTIALS, *runner_flags(), *docker_flags(), *cache_flags()]
