"""What was typed, in the shape of the settings file, and the tokens of a run without one."""

import getpass
import os
from collections.abc import Mapping
from typing import Any

from runnerkit.errors import KitError
from runnerkit.place import settings_file
from runnerkit.settings.docker import AUTO
from runnerkit.settings.model import DEFAULT

# What is typed, by the path of the settings that it is laid over.
OPTIONS = {
    "gitlab.url": "--url",
    "docker.registry_mirrors": "--mirror",
    **{f"runners.{DEFAULT}.{key}": f"--{key}" for key in ("image", "name", "tags")},
}
TOKENS = ("RUNNER_TOKEN", "GITLAB_TOKEN", "REGISTRATION_TOKEN")


def settings_of(words: Mapping[str, str]) -> dict[str, Any]:
    """The settings that the command line says; {} where it says nothing.

    Args:
        words: what was typed of url, image, name, tags and mirror; "" for what was not.

    Raises:
        KitError: there is a settings file, which says what these words would.
    """
    data: dict[str, Any] = {}
    if url := words.get("url"):
        data["gitlab"] = {"url": url}
    if mirror := words.get("mirror"):
        data["docker"] = {"registry_mirrors": mirror if mirror == AUTO else [mirror]}
    runner: dict[str, Any] = {key: words[key] for key in ("image", "name") if words.get(key)}
    if tags := words.get("tags"):
        runner["tags"] = [tag.strip() for tag in tags.split(",") if tag.strip()]
    if runner and (file := settings_file()):
        raise KitError(
            f"--image, --name and --tags are for a run without settings, and there is {file}",
            "write them there, under [runners.NAME]",
        )
    if runner:
        data["runners"] = {DEFAULT: {**runner, **_tokens(data)}}
    return data


def _tokens(data: dict[str, Any]) -> dict[str, Any]:
    """Name the environment's tokens as the sources; ask for one where there is a terminal."""
    if not any(os.environ.get(name) for name in TOKENS) and os.isatty(0) and not settings_file():
        os.environ["RUNNER_TOKEN"] = getpass.getpass(
            "runner token (glrt-…), or Enter if this host is registered already: "
        )
    if os.environ.get("GITLAB_TOKEN"):
        data.setdefault("gitlab", {})["api_token"] = {"env": "GITLAB_TOKEN"}
    return {
        "token": {"env": "RUNNER_TOKEN"},
        "registration_token": {"env": "REGISTRATION_TOKEN"},
    }
