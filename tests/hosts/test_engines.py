"""Engines of every age, with either image store: what one has built all can have, and know again."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from runnerkit.engine.certificate import FOLDER, trusted
from sandbox.world import BlankHost, World
from tests.hosts.engines import engine, host
from tests.hosts.kit import Kit, Ran
from tests.hosts.shipping import BUILD, CLEAN, NEW, OLD, door, shipped

ENGINES = {
    "26.1": ("trixie", False),
    "28.5": ("sid", False),
    "28.5, containerd's store": ("sid", True),
    "29": ("docker29", None),  # its own choice is containerd's store
}
LONG = [pytest.param(name, marks=pytest.mark.long) for name in ENGINES if "containerd" not in name]
NOWHERE = "nowhere.invalid/registry:2"  # no registry is to be had from there
RUN = "docker run --rm {0} ls -d /{0}"


@dataclass
class Pair:
    """The oldest engine, and another."""

    kit: Kit
    old: BlankHost
    other: BlankHost


@pytest.fixture(scope="module")
def old(world: World) -> Iterator[BlankHost]:
    yield world.host("classic", "docker")
    world.remove("classic")


@pytest.fixture(params=["28.5, containerd's store", *LONG])
def pair(request: pytest.FixtureRequest, world: World, kit: Kit, old: BlankHost) -> Iterator[Pair]:
    kind, containerd = ENGINES[request.param]
    other = engine(kit, host(world, "newer", kind), containerd)
    kit.ssh(old, f"docker rm -f gitlab-runner; rm -rf /srv/gitlab-runner; {CLEAN}", check=False)
    yield Pair(kit, engine(kit, old), other)
    world.remove("newer")


@pytest.mark.long
def test_both_have_what_either_built_and_only_what_is_new_is_moved(pair: Pair) -> None:
    kit, old, other = pair.kit, pair.old, pair.other
    for each in (old, other):
        kit.ssh(each, "docker pull -q debian:bookworm")
    kit.ssh(old, BUILD.format(OLD, "debian:bookworm", 20))
    (there,) = shipped(kit, old, other)
    assert there.way == "registry"
    kit.ssh(other, BUILD.format(NEW, OLD, 5))
    (back,) = shipped(kit, other, old, image=NEW)
    assert back.way == "registry"
    assert 5e6 <= back.bytes < 5.1e6
    for each in (old, other):
        assert kit.ssh(each, RUN.format(NEW)) == f"/{NEW}\n"
    for source, target in ((old, other), (other, old)):
        assert shipped(kit, source, target, image=NEW)[0].way == ""
        assert "127.0.0.1" not in kit.ssh(target, "docker image ls")


def test_without_a_registry_the_stream_serves_both(pair: Pair) -> None:
    kit, old, other = pair.kit, pair.old, pair.other
    kit.ssh(old, BUILD.format(OLD, "scratch", 3))
    kit.ssh(other, BUILD.format(NEW, "scratch", 3))
    for source, target, image in ((old, other, OLD), (other, old, NEW)):
        (moved,) = shipped(kit, source, target, image=image, registry=NOWHERE)
        assert moved.way == "save and load"
        assert shipped(kit, target, source, image=image)[0].way == ""
        for each in (old, other):
            assert "127.0.0.1" not in kit.ssh(each, "docker image ls")


def mixed(ran: Ran) -> dict[str, dict[str, Any]]:
    """What --json said of that image, by host."""
    assert ran.code == 0, ran.out + ran.err
    found = {name: one["images"] for name, one in ran.hosts.items()}
    return {h: next(row for row in rows if row["image"] == "mixed") for h, rows in found.items()}


@pytest.mark.long
def test_what_was_shipped_is_one_image_to_list_and_to_bootstrap(pair: Pair) -> None:
    kit, old, other = pair.kit, pair.old, pair.other
    folder = kit.folder / "dockerfiles/mixed"
    folder.mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM debian:bookworm\nRUN date +%N >/when\n")
    kit.env["RUNNERKIT_DOCKERFILES"] = str(folder.parent)
    kit.settings(old, other, runners={"web": {"image": "mixed", "name": "engines"}})
    kit.new_token("engines", tag_list="engines")
    kit.bootstrap()
    built = mixed(kit.run("image.list", "--host", "all", "--json"))
    assert len({row["hash"] for row in built.values()}) == 1  # of the same base
    assert all(row["differs"] for row in built.values())
    for source, target in ((old, other), (other, old)):
        ship = ("image.ship", "mixed", "--from", source.name, "--host", target.name, "--json")
        assert mixed(kit.run(*ship))[target.name]["state"].startswith("moved")
        listed = mixed(kit.run("image.list", "--host", "all", "--json"))
        assert [row["state"] for row in listed.values()] == ["current"] * 2
        assert len({row["content"] for row in listed.values()}) == 1
        assert not any(row["differs"] for row in listed.values())
        assert all(one["changes"] == [] for one in kit.plan().hosts.values())
        rebuilt = kit.run("image.build", "mixed", "--host", other.name, "--no-cache", "--json")
        assert mixed(rebuilt)[other.name]["state"] == "built"
    stores = {row["store"] for row in listed.values()}
    table = kit.run("image.list", "--host", "all").out.splitlines()[0]
    assert ("store" in table) == (len(stores) > 1)
    job = kit.job("cat /etc/debian_version", tags=["engines"])
    assert job["state"] == "success", job["trace"]


def test_an_engine_that_wants_tls_on_loopback_is_given_the_certificate_meanwhile(
    kit: Kit, old: BlankHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = f"{FOLDER}5000/ca.crt"
    kit.ssh(old, f"mkdir -p {FOLDER}5000 {FOLDER}1; touch {own} {FOLDER}1/runnerkit.crt")
    with door(kit.world, old) as (machine, client):
        with trusted(machine, client, 40000, "certificate\n"):
            assert kit.ssh(old, f"ls {FOLDER}40000", check=False) == ""  # 20.10 takes any
        monkeypatch.setattr(client, "info", lambda: {"RegistryConfig": {}})  # as 29.10 says
        with trusted(machine, client, 40000, "certificate\n"):
            assert kit.ssh(old, f"cat {FOLDER}40000/runnerkit.crt") == "certificate\n"
    assert kit.ssh(old, "find /etc/docker/certs.d -mindepth 1").split() == [f"{FOLDER}5000", own]
    kit.ssh(old, "rm -r /etc/docker/certs.d")


@pytest.mark.long
def test_only_layers_are_sent_where_loopback_is_no_exception(
    kit: Kit, world: World, old: BlankHost
) -> None:
    """From Docker 29.10 on, where insecure-registries is set; before that it is one all the same."""
    mirror = world.mirror_url.removeprefix("http://")
    new = engine(kit, host(world, "newer", "docker29"), None, **{"insecure-registries": [mirror]})
    engine(kit, old)
    kit.ssh(old, BUILD.format(OLD, "scratch", 3))
    assert shipped(kit, old, new)[0].way == "registry"
    kit.ssh(new, BUILD.format(NEW, OLD, 1))
    assert shipped(kit, new, old, image=NEW)[0].way == "registry"
    assert kit.ssh(new, "find /etc/docker -type f") == "/etc/docker/daemon.json\n"
    world.remove("newer")
