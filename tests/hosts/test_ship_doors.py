"""What a neighbour gets of an image on its way: another user, a job, the host that it goes to."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import urllib3

from runnerkit.engine import certificate, ship
from runnerkit.engine.permit import permit
from runnerkit.engine.registry import NAME, PORT, Registry
from runnerkit.machine import forward, local, tunnel
from runnerkit.machine.machine import Machine
from sandbox.world import BlankHost, World
from tests.hosts.kit import Kit
from tests.hosts.shipping import (
    BUILD,
    NEW,
    OLD,
    REGISTRY,
    door,
    first_build,
    from_,
    shipped,
    tidy,
)

Answer = Callable[..., requests.Response]
HERE = Machine(local.context())
PLACES = f"""docker inspect {NAME}; docker logs {NAME} 2>&1; docker image inspect $(docker image ls -q)
find /etc /run /var/log /tmp -xdev -type f -size -1M -exec cat {{}} + 2>/dev/null
journalctl --no-pager; for file in /proc/[0-9]*/cmdline /proc/[0-9]*/environ; do cat $file; done 2>/dev/null"""
OPEN = f"""printf 'FROM {REGISTRY}\\nENTRYPOINT ["env","-u","REGISTRY_AUTH","-u",\
"REGISTRY_AUTH_TOKEN_ROOTCERTBUNDLE","-u","REGISTRY_AUTH_TOKEN_ISSUER","-u","REGISTRY_AUTH_TOKEN_REALM",\
"-u","REGISTRY_AUTH_TOKEN_SERVICE","registry","serve"]\\nCMD ["/etc/docker/registry/config.yml"]\\n' |
docker build -q -t web:open -"""


@pytest.fixture(scope="module")
def fleet(world: World) -> Iterator[list[BlankHost]]:
    names = ["doors1", "doors2"]
    yield [world.host(name, "docker") for name in names]
    for name in names:
        world.remove(name)


@pytest.fixture
def pair(fleet: list[BlankHost], kit: Kit) -> list[BlankHost]:
    return first_build(kit, fleet, 2)


@contextlib.contextmanager
def neighbour(machine: Machine) -> Iterator[Answer]:
    """Requests to the registry, as anybody can make them who is on the host."""
    urllib3.disable_warnings()
    with (
        tunnel.offered(HERE, lambda: forward.dial(machine, PORT)) as near,
        requests.Session() as web,
    ):
        web.verify, web.trust_env = False, False

        def ask(method: str, path: str, token: str = "", **options: Any) -> requests.Response:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            url = f"https://127.0.0.1:{near.port}/v2/{path}"
            return web.request(method, url, headers=headers, timeout=20, **options)

        yield ask


def everything(ask: Answer, token: str = "") -> set[int]:
    """What is answered to who reads and writes all that there may be."""
    name, _, tag = OLD.partition(":")
    calls = [
        *(("GET", ""), ("GET", "_catalog"), ("GET", f"runnerkit/{name}/tags/list")),
        *(("GET", f"runnerkit/{name}/manifests/{tag}"), ("DELETE", f"runnerkit/{name}/manifests/{tag}")),
        *(("POST", f"runnerkit/{name}/blobs/uploads/"), ("POST", "mine/blobs/uploads/")),
        ("POST", f"mine/blobs/uploads/?mount=sha256:{'0' * 64}&from=runnerkit/{name}"),
    ]  # fmt: skip
    return {ask(method, path, token).status_code for method, path in calls}


def test_no_neighbour_reads_or_writes_while_an_image_is_on_its_way(
    kit: Kit, pair: list[BlankHost], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = pair
    logins: list[tuple[dict[str, str], tuple[str, ...]]] = []
    give = Registry.login

    def login(registry: Registry, port: int, repository: str, *actions: str) -> dict[str, str]:
        logins.append((give(registry, port, repository, *actions), actions))
        return logins[-1][0]

    monkeypatch.setattr(Registry, "login", login)
    with (
        door(kit.world, source) as one,
        door(kit.world, target) as other,
        ship.source(*one, OLD, from_(REGISTRY), lambda _: None) as offer,
        neighbour(one[0]) as ask,
    ):
        assert offer.send(*other, 1, lambda _: None).way == "registry"
        tokens = {actions: login["registrytoken"] for login, actions in logins}
        places = [kit.ssh(host, PLACES) for host in pair]
        assert everything(ask) == {401}
        assert everything(ask, permit(*certificate.new(), "runnerkit/web", "pull", "push")) == {401}

        reads = tokens["pull",]
        assert ask("GET", "runnerkit/web/tags/list", reads).json()["tags"] == [
            OLD.partition(":")[2]
        ]
        for method, path in (
            ("POST", "runnerkit/web/blobs/uploads/"),
            ("DELETE", f"runnerkit/web/manifests/{OLD.partition(':')[2]}"),
            ("GET", "_catalog"),
            ("GET", "runnerkit/other/tags/list"),
        ):
            assert ask(method, path, reads).status_code == 401
        assert ask("POST", "runnerkit/web/blobs/uploads/", tokens["pull", "push"]).ok
        assert "REGISTRY_AUTH=token" in places[0]
        for token in tokens.values():
            assert not [text for text in places if token in text or token.split(".")[2] in text]
    tidy(kit, pair)


def test_what_was_shipped_before_is_not_there_to_be_read(kit: Kit, pair: list[BlankHost]) -> None:
    source, target = pair
    shipped(kit, source, target)
    kit.ssh(source, BUILD.format(NEW, OLD, 1))
    with (
        door(kit.world, source) as one,
        door(kit.world, target) as other,
        ship.source(*one, NEW, from_(REGISTRY), lambda _: None) as offer,
    ):
        offer.send(*other, 1, lambda _: None)
        tags = kit.ssh(
            source, f"docker exec {NAME} find /var/lib/registry -path '*/tags/*' -name '0000*'"
        )
        assert [path.rpartition("/")[2] for path in tags.split()] == [NEW.partition(":")[2]]
    tidy(kit, pair)


def test_a_registry_that_would_let_in_anybody_is_given_nothing(
    kit: Kit, pair: list[BlankHost]
) -> None:
    kit.ssh(pair[0], f"docker pull -q {REGISTRY}; {OPEN}")
    (moved,) = shipped(kit, *pair, registry="web:open")
    assert moved.way == "save and load"
    assert "let in anybody: HTTP/1.1 200" in moved.why
    tidy(kit, pair)


def test_an_engine_that_shows_no_permit_gets_the_image_by_save_and_load(
    kit: Kit, pair: list[BlankHost], monkeypatch: pytest.MonkeyPatch
) -> None:
    give = Registry.login

    def login(registry: Registry, port: int, repository: str, *actions: str) -> dict[str, str]:
        return give(registry, port, repository, *actions) if port == PORT else {}

    monkeypatch.setattr(Registry, "login", login)
    (moved,) = shipped(kit, *pair)
    assert moved.way == "save and load"
    assert "service=runnerkit" in moved.why
    tidy(kit, pair)


@pytest.mark.long
def test_the_registrys_image_can_be_pinned_and_another_one_is_not_run(
    kit: Kit, pair: list[BlankHost]
) -> None:
    digests = f"docker image inspect -f '{{{{index .RepoDigests 0}}}}' {REGISTRY}"
    kit.ssh(pair[0], f"docker pull -q {REGISTRY}")
    pinned = kit.ssh(pair[0], f"{digests}; docker rmi {REGISTRY} >&2").strip()
    name, _, digest = pinned.partition("@")
    (moved,) = shipped(kit, *pair, registry=f"{name}:2.8.3@{digest}")
    assert moved.way == "registry"
    kit.ssh(pair[1], "docker rmi -f $(docker image ls -q)")
    (moved,) = shipped(kit, *pair, registry=f"{REGISTRY}@sha256:{'0' * 64}")
    assert moved.way == "save and load"
    tidy(kit, pair)
