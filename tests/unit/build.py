"""Small makers of settings and facts for the tables."""

import json
from dataclasses import replace
from typing import Any

from runnerkit import resolve
from runnerkit.facts import Facts, File
from runnerkit.settings.load import _lay_over, load
from runnerkit.settings.secrets import Secret
from runnerkit.want import Want

URL = "https://gitlab.example.com"
TOKEN = "glrt-unit0000000000000000"
CONFIG = "/srv/gitlab-runner/config/config.toml"
DAEMON = "/etc/docker/daemon.json"
MANAGER = "gitlab/gitlab-runner:v19.3.0"
HELPER = "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:x86_64-v19.3.0"
GOOD = f"""concurrent = 1

[[runners]]
  name = "ci1-web"
  url = "{URL}"
  id = 7
  token = "{TOKEN}"
  executor = "docker"
  [runners.docker]
    image = "debian:bookworm"
    volumes = ["/cache"]
    pull_policy = ["if-not-present"]
"""


def want(token: str | None = TOKEN, **data: Any) -> Want:
    """One host that shall have one runner, with the settings laid over."""
    base: dict[str, Any] = {
        "gitlab": {"url": URL},
        "runners": {"web": {"image": "debian:bookworm"}},
    }
    _lay_over(base, data)
    result = resolve.of_host(load(command_line=base), "ci1")
    secret = Secret(token) if token else None
    return replace(result, runners=tuple(replace(r, token=secret) for r in result.runners))


def blank(**changes: Any) -> Facts:
    """A Debian 12 host with nothing on it."""
    os = {"ID": "debian", "VERSION_ID": "12", "VERSION_CODENAME": "bookworm"}
    os["PRETTY_NAME"] = "Debian GNU/Linux 12 (bookworm)"
    facts = Facts(hostname="ci1", os=os, cpus=4, systemd=True, free_kb=50 << 20)
    return replace(facts, **changes)


def converged(config: str = GOOD, daemon: dict[str, Any] | None = None, **changes: Any) -> Facts:
    """A host on which `want()` has nothing left to do."""
    files = {CONFIG: File(config.encode(), 0o600, 500)}
    if daemon is not None:
        files[DAEMON] = File(json.dumps(daemon).encode(), 0o644, 500)
    facts = blank(
        dockerd=True,
        started=1000,
        info={"ServerVersion": "20.10.24", "RegistryConfig": {"Mirrors": []}},
        images={name: {"Id": f"sha256:{name}"} for name in (MANAGER, HELPER, "debian:bookworm")},
        containers={"gitlab-runner": container()},
        files=files,
        verify="Verifying runner... is valid        \x1b[0;m runner\x1b[0;m=unit00000",
    )
    return replace(facts, **changes)


def container(**changes: Any) -> dict[str, Any]:
    """The manager's container, as ``docker inspect`` has it."""
    result: dict[str, Any] = {
        "Image": f"sha256:{MANAGER}",
        "Config": {"Image": MANAGER, "Env": []},
        "State": {"Running": True},
        "HostConfig": {"RestartPolicy": {"Name": "always"}},
        "Mounts": [
            {"Source": "/srv/gitlab-runner/config", "Destination": "/etc/gitlab-runner"},
            {"Source": "/var/run/docker.sock", "Destination": "/var/run/docker.sock"},
        ],
    }
    _lay_over(result, changes)
    return result
