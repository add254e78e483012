"""Hosts with engines of every age, with either image store."""

import json
from typing import Any

import pytest

from sandbox.errors import SandboxError
from sandbox.hosts.kinds import find
from sandbox.world import BlankHost, World
from tests.hosts.kit import RESTART, Kit

# By what tests call it: a kind of host, and whether it has containerd's store (None: its own choice).
ENGINES = {
    "20.10": ("docker", None),
    "26.1": ("trixie", False),
    "28.5, containerd's store": ("sid", True),
    "29": ("docker29", None),
}


def running(kit: Kit, name: str, version: str) -> BlankHost:
    """A host with that engine, which runs."""
    kind, containerd = ENGINES[version]
    return engine(kit, host(kit.world, name, kind), containerd)


def engine(kit: Kit, host: BlankHost, containerd: bool | None = None, **options: Any) -> BlankHost:
    """Give the host's Docker the mirror and an image store (None: its own choice), and start it."""
    data: dict[str, Any] = {"registry-mirrors": [kit.world.mirror_url], **options}
    if containerd is not None:
        data["features"] = {"containerd-snapshotter": containerd}
    kit.ssh(host, f"""mkdir -p /etc/docker && echo '{json.dumps(data)}' >/etc/docker/daemon.json
        if [ -d /run/systemd/system ]; then {RESTART}; else service docker stop; service docker start; fi
        for _ in $(seq 300); do docker info >/dev/null 2>&1 && exit; sleep 0.1; done
        tail -n 20 /var/log/docker.log >&2; exit 1""")  # fmt: skip
    return host


def host(world: World, name: str, kind: str) -> BlankHost:
    """A host of that kind; where it cannot be had the test is skipped, and says why."""
    try:
        return world.host(name, kind)
    except SandboxError as error:
        if find(kind).suite != "sid":  # what moves, or nobody has, may not be there today
            raise
        pytest.skip(f"{error.what}; {error.fix}")
