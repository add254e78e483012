"""The kit as people use it: ./inv, with settings in a file and tokens in the environment."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit

from runnerkit.place import ROOT
from sandbox.client import Client
from sandbox.world import BlankHost, World

CONFIG = "/srv/gitlab-runner/config/config.toml"
# systemd starts it three times a minute at most, and tests restart it more often.
RESTART = "systemctl reset-failed docker; systemctl restart docker"
# What is started in the background of a shell inherits that it is deaf to Ctrl-C.
HEEDING = ("env", "--default-signal=INT")
NO_TOKENS = {"RUNNER_TOKEN": "", "GITLAB_TOKEN": "", "REGISTRATION_TOKEN": ""}


def until(tell: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not tell():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def hosts(self) -> dict[str, dict[str, Any]]:
        """What --json said, by host."""
        return {one["host"]: one for one in json.loads(self.out)["hosts"]}

    def found(self, code: str) -> list[dict[str, str]]:
        """The findings of that code, of the only host."""
        (host,) = self.hosts.values()
        return [one for one in host["findings"] if one["code"] == code]

    @property
    def titles(self) -> list[str]:
        """The changes of the only host."""
        (host,) = self.hosts.values()
        return [change["title"] for change in host["changes"]]


@dataclass
class Kit:
    """One settings file, and what is run with it."""

    world: World
    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def gitlab(self) -> Client:
        return Client(self.world.gitlab_url, self.world.api_token)

    def settings(self, *hosts: BlankHost, user: str = "root", **more: Any) -> None:
        """Write settings for these hosts; `more` is laid over, section by section."""
        self.data = {
            "gitlab": {"url": self.world.gitlab_url},
            "docker": {
                "registry_mirrors": [self.world.mirror_url],
                "registry_image": "registry:2",  # the mirror's; the pinned one is nowhere here
            },
            "manager": {"image": self.world.runner_image, "concurrent": 2},
            "ssh": {"known_hosts": str(self.world.state / "known_hosts")},
            "images": {"tester": {"base": "debian:bookworm"}},
            "runners": {"web": {"image": "tester", "token": {"env": "RUNNER_TOKEN"}}},
            "hosts": {
                h.name: {"address": f"{user}@{h.address}", "identity": str(h.key)} for h in hosts
            },
        }
        if self.world.own_helper:
            self.data["runners"]["web"]["docker"] = self.world.own_helper
        for section, body in more.items():
            known = self.data.setdefault(section, {})
            for key, value in body.items():
                both = isinstance(value, dict) and isinstance(known.get(key), dict)
                known[key] = {**known[key], **value} if both else value
        (self.folder / "runnerkit.toml").write_text(tomlkit.dumps(self.data))

    def new_token(self, description: str = "made by hand", **options: Any) -> str:
        """A glrt- token, put into the environment as RUNNER_TOKEN."""
        self.env["RUNNER_TOKEN"] = self.gitlab.new_runner(description, **options)
        return self.env["RUNNER_TOKEN"]

    def command(self, *words: str) -> tuple[list[str], dict[str, str]]:
        """The command and its environment."""
        env = {**os.environ, **NO_TOKENS, "COLUMNS": "200", **self.env}
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # else each run compiles the kit, as no user's does
        env.setdefault("RUNNERKIT_SETTINGS", str(self.folder / "runnerkit.toml"))
        return [str(ROOT / "inv"), *words], env

    def run(self, *words: str, timeout: float = 300) -> Ran:
        """Run ./inv and return how it ended; a traceback is a bug."""
        command, env = self.command(*words)
        ran = subprocess.run(
            command, env=env, cwd=self.folder, stdin=subprocess.DEVNULL, text=True,
            capture_output=True, check=False, timeout=timeout,
        )  # fmt: skip
        assert "Traceback" not in ran.stderr, ran.stderr
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def plan(self, host: str = "all") -> Ran:
        return self.run("plan", "--host", host, "--json")

    def bootstrap(self, host: str = "all", code: int = 0, *words: str) -> Ran:
        """Bootstrap, and check its exit code."""
        ran = self.run("bootstrap", "--host", host, "--json", *words)
        assert ran.code == code, ran.out + ran.err
        return ran

    def ssh(self, host: BlankHost, script: str, user: str = "root", check: bool = True) -> str:
        """What a script prints on a host."""
        known = f"UserKnownHostsFile={self.world.state}/known_hosts"
        command = ["ssh", "-F", "none", "-o", "BatchMode=yes", "-o", known, "-i", str(host.key)]
        ran = subprocess.run(
            [*command, f"{user}@{host.address}", "sh", "-s"], input=script, text=True,
            capture_output=True, check=False, timeout=120,
        )  # fmt: skip
        assert not check or ran.returncode == 0, ran.stderr
        return ran.stdout

    def mirrored(self, host: BlankHost, **options: Any) -> None:
        """Give a host's Docker the mirror, and wait until it has taken it."""
        text = json.dumps({"registry-mirrors": [self.world.mirror_url], **options})
        self.ssh(host, f"""mkdir -p /etc/docker && echo '{text}' >/etc/docker/daemon.json
            systemctl reload docker
            until docker info | grep -qF {self.world.mirror_url}; do sleep 0.1; done""")  # fmt: skip

    def job(self, *script: str, **job: Any) -> dict[str, Any]:
        """Run a job to its end."""
        return self.gitlab.wait(self.gitlab.queue(list(script), **job))

    def settled(self) -> None:
        """Wait until no poll is in flight that began with an older config.toml.

        The runner gives a job to the configuration that asked for it.
        """
        calls = self._polls()
        while self._polls() < calls + 2:
            time.sleep(0.1)

    def _polls(self) -> int:
        requests = self.gitlab.call("GET", "/sandbox/state")["requests"]
        return int(requests["POST /jobs/request"])
