"""Settings of an image for trying only, where there are none: all that it needs is the sandbox's."""

from typing import Any

from runnerkit.place import settings_file
from runnerkit.settings.load import load
from runnerkit.settings.model import Settings
from sandbox import world
from sandbox.world import Say, World


def settings(say: Say, in_sandbox: bool = True, up: World | None = None) -> Settings:
    """The settings of the file, or those of an image for trying only.

    Args:
        say: told that it is one for trying.
        in_sandbox: whether the sandbox can be reached from where it is made: no cloud reaches it.
        up: the sandbox, if it is up.
    """
    file = settings_file()
    if file or not in_sandbox:
        return load(file)
    say("no runnerkit.toml: an image for trying only, with what the sandbox gives")
    up = up or world.up(say)
    return load(command_line=data(up))


def data(up: World) -> dict[str, Any]:
    """The same as a settings file has it."""
    return {
        "gitlab": {"url": up.gitlab_url},
        "docker": {"registry_mirrors": [up.mirror_url]},
        "manager": {"image": up.runner_image, "concurrent": 1},
        "runners": {"default": {"image": "debian:bookworm", "docker": up.own_helper}},
    }
