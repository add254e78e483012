"""The whole kit in two minutes: a blank host, one bootstrap, one job in an image of that host's own."""

import os
import re
import shlex
import sys
from pathlib import Path

import tomlkit

from runnerkit.fleet.bootstrap import bootstrap
from runnerkit.fleet.run import Fleet
from runnerkit.place import typed
from runnerkit.report.bootstrap import bootstrapped
from runnerkit.report.progress import progress
from runnerkit.settings import targets
from runnerkit.settings.load import load
from sandbox import world
from sandbox.client import Client
from sandbox.world import World

HOST = "demo"
SECTION = re.compile(r"section_(start|end):\d+:\w+\r\x1b\[0K")  # folds a log in GitLab's pages
ESCAPE = re.compile(r"\x1b\[[\d;]*[mK]")  # a colour, or a line begun anew
SETTINGS = """# The demo's settings. Try: {command} plan --host demo
[gitlab]
url = "{world.gitlab_url}"

[docker]
registry_mirrors = ["{world.mirror_url}"]
registry_image = "registry:2"

[manager]
image = "{world.runner_image}"
concurrent = "auto"

[ssh]
known_hosts = "{world.state}/known_hosts"

[runners.demo]
name = "demo"
token = {{ file = "{world.state}/runner-token" }}
image = "demo"
docker = {helper}

[hosts.{host.name}]
address = "root@{host.address}"
identity = "{host.key}"
"""


def run(runner_image: str | None = None) -> int:
    """Run the demo; the exit code is 0 when the job has passed."""
    up = world.up(print, runner_image)
    host = up.host(HOST)
    print(f"\na blank host, with sshd and nothing else: root@{host.address}")
    gitlab = Client(up.gitlab_url, up.api_token)
    file = up.state / "runnerkit.toml"
    command = _command(file)
    helper = tomlkit.inline_table()
    helper.update(up.own_helper)
    text = SETTINGS.format(world=up, host=host, command=command, helper=helper.as_string())
    _write_settings(file, text, up, gitlab)
    settings = load(file)

    print(f"\n$ {command} bootstrap --host {HOST}")
    with progress() as listener:
        outcomes = bootstrap(Fleet(tuple(targets.choose(HOST, settings)), settings, listener))
    if bootstrapped(outcomes).show(as_json=False):
        return 1

    script = ["hello", "echo this job runs as $(id -un) in a container on the host"]
    number = gitlab.queue(script, image="demo", name="hello", tags=[HOST])  # no other has the image
    print(f"\njob {number} is queued, in the image demo, which only that host has; its log:\n")
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    for text in gitlab.follow(number):
        shown = SECTION.sub("", text)
        print(shown if coloured else ESCAPE.sub("", shown), end="", flush=True)
    job = gitlab.job(number)
    print(f"\njob {number}: {job['state']}, run by manager {job['system_id']}\n")
    print(f"look around:  {command} plan --host {HOST}")
    name = os.environ.get("RUNNERKIT_SANDBOX")
    own = f"RUNNERKIT_SANDBOX={name} " if name else ""
    print(typed(f"clean up:     {own}./inv sandbox.down"))
    return int(job["state"] != "success")


def _write_settings(file: Path, text: str, up: World, gitlab: Client) -> None:
    gitlab.forget_runners(HOST)
    token = up.state / "runner-token"
    token.touch(mode=0o600)
    token.write_text(gitlab.new_runner(HOST, tag_list=[HOST]))
    file.write_text(text)


def _command(settings: Path) -> str:
    """What is typed from here to run the kit on these settings."""
    here = Path.cwd()
    shown = settings.relative_to(here) if settings.is_relative_to(here) else settings
    return typed(f"RUNNERKIT_SETTINGS={shlex.quote(str(shown))} ./inv")
