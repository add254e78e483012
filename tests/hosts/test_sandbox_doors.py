"""Another user of this machine gets into no host of the sandbox, and chooses nothing that hosts run."""

import base64
import stat
from pathlib import Path

import docker
import paramiko
import pytest
import requests

from sandbox.services.containers import PUSH
from sandbox.world import World
from tests.hosts.conftest import Blank

USERS = ("carol", "ops", "mallory", "root")
WRITES = [
    ("POST", "/v2/gitlab/gitlab-runner/blobs/uploads/"),
    ("PUT", "/v2/gitlab/gitlab-runner/manifests/v19.3.0"),
    ("DELETE", "/v2/gitlab/gitlab-runner/manifests/sha256:" + "0" * 64),
    ("DELETE", "/v2/gitlab/gitlab-runner/blobs/sha256:" + "0" * 64),
]


@pytest.mark.parametrize("kind", ["systemd", "plain"])
def test_no_password_opens_a_host(world: World, blank: Blank, kind: str) -> None:
    """Not the one that once was known to all, none, and not the one for sudo either."""
    host = blank(kind)
    for user in USERS:
        transport = paramiko.Transport((host.address, 22))
        try:
            transport.start_client(timeout=10)
            with pytest.raises(paramiko.BadAuthenticationType) as refused:
                transport.auth_none(user)
            assert refused.value.allowed_types == ["publickey"]
            for password in ("sandbox", "", world.sudo_password):
                with pytest.raises(paramiko.AuthenticationException):
                    transport.auth_password(user, password, fallback=True)
        finally:
            transport.close()


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_nobody_else_writes_to_the_mirror(world: World, method: str, path: str) -> None:
    container = docker.from_env().containers.get(world.names.container("mirror"))
    ports = container.ports
    assert {port for port, where in ports.items() if where} == {f"{PUSH}/tcp"}
    ((door,),) = [where for where in ports.values() if where]
    assert door["HostIp"] == "127.0.0.1"
    assert requests.request(method, world.mirror_url + path, timeout=10).status_code == 405
    wrong = base64.b64encode(b"sandbox:sandbox").decode()
    for url in (f"http://127.0.0.1:{door['HostPort']}", f"http://{world.net.mirror}:{PUSH}"):
        for headers in ({}, {"Authorization": f"Basic {wrong}"}):
            refused = requests.request(method, url + path, headers=headers, timeout=10)
            assert refused.status_code == 401


def test_the_sandbox_s_secrets_are_its_owner_s(world: World) -> None:
    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    assert mode(world.state) == 0o700
    names = ("id_ed25519", "tokens.json", "sudo-password", "push-password")
    assert {mode(world.state / name) for name in names} == {0o600}
