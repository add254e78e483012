"""The options of `register`, most of them derived from the known keys of config.toml."""

from ..config.known_keys import DOCKER, RUNNER, Keys
from .flags import CONFIG_FILE, Flag

CREDENTIALS = [
    Flag(("url",), ("u", "url"), "CI_SERVER_URL"),
    Flag(("token",), ("t", "token"), "CI_SERVER_TOKEN"),
    Flag(("tls-ca-file",), ("tls-ca-file",), "CI_SERVER_TLS_CA_FILE"),
]

# The seven that belong to the server when the token is a glrt- one.
RESERVED = [
    Flag(("tag_list",), ("tag-list",), "RUNNER_TAG_LIST"),
    Flag(("run_untagged",), ("run-untagged",), "REGISTER_RUN_UNTAGGED", "?"),
    Flag(("locked",), ("locked",), "REGISTER_LOCKED", "?"),
    Flag(("access_level",), ("access-level",), "REGISTER_ACCESS_LEVEL"),
    Flag(("maximum_timeout",), ("maximum-timeout",), "REGISTER_MAXIMUM_TIMEOUT", "#"),
    Flag(("paused",), ("paused",), "REGISTER_PAUSED", "?"),
    Flag(("maintenance_note",), ("maintenance-note",), "REGISTER_MAINTENANCE_NOTE"),
]

COMMAND = [
    CONFIG_FILE,
    Flag(("template",), ("template-config",), "TEMPLATE_CONFIG_FILE"),
    Flag(("interactive_off",), ("n", "non-interactive"), "REGISTER_NON_INTERACTIVE", "?"),
    Flag(("leave_runner",), ("leave-runner",), "REGISTER_LEAVE_RUNNER", "?"),
    Flag(("registration_token",), ("r", "registration-token"), "REGISTRATION_TOKEN"),
    *RESERVED,
]

# Where the flag or the environment variable is not simply spelt after the key.
NAMES = {
    "name": ("name", "description"),
    "environment": ("env",),
}
VARIABLES = {"environment": "RUNNER_ENV", "feature_flags": "FEATURE_FLAGS"}
SET_OTHERWISE = {"url", "id", "token", "labels", "tls-ca-file", "tls-cert-file", "tls-key-file"}


def _flags(keys: Keys, path: tuple[str, ...], option: str, variable: str) -> list[Flag]:
    return [
        Flag(
            (*path, key),
            NAMES.get(key, (option + key.replace("_", "-"),)),
            VARIABLES.get(key, variable + key.upper()),
            kind.rstrip("!"),
        )
        for key, kind in keys.items()
        if isinstance(kind, str) and kind.rstrip("!") not in {"@", "~"} and key not in SET_OTHERWISE
    ]


REGISTER = [
    *COMMAND,
    *CREDENTIALS,
    *_flags(RUNNER, (), "", "RUNNER_"),
    *_flags(DOCKER, ("docker",), "docker-", "DOCKER_"),
]
