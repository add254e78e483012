"""Logins at a registry: which host is given one, and for what."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import bcrypt
import pytest

from sandbox.world import BlankHost, World
from tests.hosts.kit import Kit
from tests.hosts.test_images import build, images, registry, states, write

SENTINEL = "sentinel-of-a-login-7c1"
PLACE = "127.0.0.1:5002"


@pytest.fixture(scope="module")
def pair(world: World) -> Iterator[tuple[BlankHost, BlankHost]]:
    """Two hosts with Docker; the first has a registry on its loopback that wants a login."""
    result = world.host("login1", "docker"), world.host("login2", "docker")
    kit = Kit(world, Path())
    for host in result:
        kit.mirrored(host)
    hashed = bcrypt.hashpw(SENTINEL.encode(), bcrypt.gensalt(4)).decode()
    kit.ssh(result[0], f"mkdir -p /srv/auth && echo 'ci:{hashed}' >/srv/auth/htpasswd")
    login = "-e REGISTRY_AUTH=htpasswd -e REGISTRY_AUTH_HTPASSWD_REALM=x"
    login += " -e REGISTRY_AUTH_HTPASSWD_PATH=/auth/htpasswd -v /srv/auth:/auth"
    registry(kit, result[0], 5002, f"--name auth {login}")
    yield result
    for host in result:
        world.remove(host.name)


@pytest.fixture(autouse=True)
def _here(kit: Kit, pair: tuple[BlankHost, BlankHost]) -> None:
    kit.settings(*pair)
    kit.env["RUNNERKIT_DOCKERFILES"] = str(kit.folder / "dockerfiles")
    kit.env["DOCKER_CONFIG"] = str(kit.folder)
    write(kit, "pushed", "FROM debian:bookworm\nRUN echo x >/x\n")


def test_an_image_is_pushed_with_credentials_of_the_environment_and_refused_without(
    kit: Kit, pair: tuple[BlankHost, BlankHost]
) -> None:
    """By the first host alone: no other is given them, nor could it reach that registry."""
    kit.env |= {"REGISTRY_USER": "ci", "REGISTRY_PASSWORD": f"not-{SENTINEL}"}
    refused = kit.run("image.build", "pushed", "--host", "login1", "--push", PLACE)
    assert refused.code == 1
    assert f"cannot push {PLACE}/pushed" in refused.err
    assert "REGISTRY_PASSWORD" in refused.err
    assert SENTINEL not in refused.out + refused.err
    kit.env["REGISTRY_PASSWORD"] = SENTINEL
    rows = images(build(kit, "pushed", "--push", PLACE, host="login1,login2"))
    row = rows["login1", "pushed"]
    assert row["state"] == "unchanged"
    for tag in (row["hash"], "latest"):
        there = f"{PLACE}/pushed:{tag}"
        got = kit.ssh(pair[0], f"""set -e; export DOCKER_CONFIG=/tmp/login
            echo {SENTINEL} | docker login -u ci --password-stdin {PLACE} >/dev/null 2>&1
            docker pull -q {there} >/dev/null; docker image inspect -f '{{{{.Id}}}}' {there}
            docker rmi {there} >/dev/null; rm -r /tmp/login""")  # fmt: skip
        assert got.strip() == row["id"]
    for host in pair:
        assert PLACE not in kit.ssh(host, "docker image ls")


def test_a_base_of_a_dockerfile_gets_a_login_only_where_the_settings_name_its_registry(
    kit: Kit, pair: tuple[BlankHost, BlankHost]
) -> None:
    auth = base64.b64encode(f"ci:{SENTINEL}".encode()).decode()
    (kit.folder / "config.json").write_text(json.dumps({"auths": {PLACE: {"auth": auth}}}))
    build(kit, "pushed", "--push", PLACE, host="login1")
    write(kit, "closed", f"FROM {PLACE}/pushed\nRUN true\n")
    refused = kit.run("image.build", "closed", "--host", "login1")
    assert refused.code == 1
    assert "no basic auth credentials" in refused.err
    assert f'add "{PLACE}" to [docker] registry_logins' in refused.err
    kit.settings(*pair, docker={"registry_logins": [PLACE]})
    ran = build(kit, "closed", host="login1")
    assert states(ran)["login1", "closed"] == "built"
    assert SENTINEL not in ran.out + ran.err
    kept = kit.ssh(pair[0], f"grep -rs {SENTINEL} /root /etc /run /tmp /var/lib/runnerkit || true")
    assert kept == ""
