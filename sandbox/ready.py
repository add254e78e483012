"""What a sandbox of one's own says: where things are, and what to type next, with a settings file."""

import os
import re
import shlex
from pathlib import Path
from typing import Any

import tomlkit

from runnerkit.place import typed
from sandbox import keys, world
from sandbox.errors import SandboxError
from sandbox.hosts.blank import BlankHost
from sandbox.services.mirror import REGISTRY
from sandbox.world import World

FILE = "hosts.toml"
TOKEN = "api-token"


def up(runner_image: str | None = None) -> None:
    """Put the sandbox up, and say what is where."""
    put_up = world.up(print, runner_image)
    print(f"  GitLab    {put_up.gitlab_url}")
    print(f"  mirror    {put_up.mirror_url}, for --mirror")
    print(f"  tokens    {put_up.state / 'tokens.json'}; that of an administrator: {_token(put_up)}")
    print(typed(f"next:  {_own()}./inv sandbox.host ci1   makes a blank host of that name"))
    print(typed(f"       {_own()}./inv sandbox.down       takes all down"))


def host(name: str) -> None:
    """Make a blank host, and say how the kit sets it up."""
    if not re.fullmatch("(?!all$)[a-z0-9][a-z0-9-]{0,40}", name):
        raise SandboxError(
            f"{name!r} is no name for a host here", "take small letters, digits and dashes: ci1"
        )
    put_up = world.up(print)
    made = put_up.host(name)
    file = put_up.state / FILE
    text = file.read_text() if file.exists() else ""
    try:
        keys.write(file, settings(put_up, text, made))
    except ValueError as error:
        raise SandboxError(
            f"{_shown(file)} is not valid TOML: {error}", "correct that line"
        ) from None
    print(f"a blank host, with sshd and nothing else: root@{made.address}")
    print(f"it is {name} of the settings file {_shown(file)}; edit that, and type:")
    for words in (f"plan --host {name}", f"bootstrap --host {name}"):
        print(typed(f"  RUNNERKIT_SETTINGS={shlex.quote(_shown(file))} ./inv {words}"))


def settings(put_up: World, text: str, new: BlankHost) -> str:
    """A settings file with which the kit sets up the sandbox's hosts; what it says already stays.

    Raises:
        ValueError: the text is not TOML.
    """
    runner: dict[str, Any] = {"image": "ci-debian", "run_untagged": True}
    if put_up.own_helper:
        runner["docker"] = put_up.own_helper
    data: dict[str, dict[str, Any]] = {
        "gitlab": {"url": put_up.gitlab_url, "api_token": {"file": str(_token(put_up))}},
        "docker": {"registry_mirrors": [put_up.mirror_url], "registry_image": REGISTRY},
        "manager": {"image": put_up.runner_image},
        "ssh": {"known_hosts": str(put_up.state / "known_hosts")},
        "runners": {"try": runner},
        "bundle": {"bases": {"debian-12": "debian:bookworm"}},
    }
    document: dict[str, Any] = tomlkit.parse(text or tomlkit.dumps(data))
    for section, key in (
        ("gitlab", "url"),
        ("gitlab", "api_token"),
        ("docker", "registry_mirrors"),
    ):
        if document.setdefault(section, {}).get(key) != data[section][key]:  # it may have moved
            document[section][key] = data[section][key]
    place = {"address": f"root@{new.address}", "identity": str(new.key)}
    document.setdefault("hosts", {})[new.name] = place
    return tomlkit.dumps(document)


def _token(put_up: World) -> Path:
    path = put_up.state / TOKEN
    keys.write(path, put_up.api_token)
    return path


def _own() -> str:
    """What names this sandbox, where it is not the checkout's own."""
    name = os.environ.get("RUNNERKIT_SANDBOX")
    return f"RUNNERKIT_SANDBOX={name} " if name else ""


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
