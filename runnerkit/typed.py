"""What was typed, in the shape of the settings file, and the tokens of a run without one."""

import getpass
import os
from typing import Any

from runnerkit import settings
from runnerkit.errors import KitError
from runnerkit.settings import DEFAULT

TOKENS = ("RUNNER_TOKEN", "GITLAB_TOKEN", "REGISTRATION_TOKEN")


def settings_of(url: str, image: str, name: str, tags: str, mirror: str) -> dict[str, Any]:
    """The settings that the command line says; {} where it says nothing."""
    data: dict[str, Any] = {}
    if url:
        data["gitlab"] = {"url": url}
    if mirror:
        data["docker"] = {"registry_mirrors": [mirror]}
    runner = {"image": image, "name": name}
    runner_said: dict[str, Any] = {key: value for key, value in runner.items() if value}
    if tags:
        runner_said["tags"] = [tag.strip() for tag in tags.split(",") if tag.strip()]
    if runner_said and (file := settings.find()):
        raise KitError(
            f"--image, --name and --tags are for a run without settings, and there is {file}",
            "write them there, under [runners.NAME]",
        )
    if runner_said:
        data["runners"] = {DEFAULT: {**runner_said, **_tokens(data)}}
    return data


def _tokens(data: dict[str, Any]) -> dict[str, Any]:
    """Name the environment's tokens as the sources; ask for one where there is a terminal."""
    if not any(os.environ.get(name) for name in TOKENS) and os.isatty(0) and not settings.find():
        os.environ["RUNNER_TOKEN"] = getpass.getpass(
            "runner token (glrt-…), or Enter if this host is registered already: "
        )
    if os.environ.get("GITLAB_TOKEN"):
        data.setdefault("gitlab", {})["api_token"] = {"env": "GITLAB_TOKEN"}
    return {
        "token": {"env": "RUNNER_TOKEN"},
        "registration_token": {"env": "REGISTRATION_TOKEN"},
    }
