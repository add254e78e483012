"""What the kit says of a mirror is what Docker does with it, whatever ways the mirror has."""

import json
from collections.abc import Iterator

import pytest

from runnerkit.checks.network.verdict import SERVES, why, word
from runnerkit.fleet.mirrors.asking import served
from runnerkit.images.content import store
from runnerkit.settings.access import DIRECT
from sandbox.world import BlankHost, World
from tests.hosts.engines import engine, host
from tests.hosts.kit import Kit
from tests.hosts.odd_mirrors import FAR, IMAGE, odd_mirrors
from tests.hosts.shipping import door

ENGINES = {
    "20.10": ("docker", None),
    "28.5, containerd's store": ("sid", True),
    "29": ("docker29", None),
}
# Only the classic store asks at the door, /v2/; the kit goes by the stricter of both.
AT_THE_DOOR = {"gives tokens, or takes a password", "wants a password at its door"}
PULL = """sed -i 's|"registry-mirrors": [^]]*]|"registry-mirrors": ["{url}"]|' /etc/docker/daemon.json
pkill -HUP -x dockerd; until docker info | grep -qF {url}/; do sleep 0.1; done
docker rmi {image} >/dev/null 2>&1; docker pull {image} 2>&1"""


@pytest.fixture(params=ENGINES)
def one(request: pytest.FixtureRequest, world: World, kit: Kit) -> Iterator[BlankHost]:
    """A host with an engine, to which Docker Hub does not answer."""
    kind, containerd = ENGINES[request.param]
    found = host(world, "judge", kind)
    names = f"127.0.0.1 registry-1.docker.io\n{kit.world.net.address(1)} {FAR}\n"
    kit.ssh(found, f"cat >>/etc/hosts <<'END'\n{names}END")
    yield engine(kit, found, containerd)
    world.remove("judge")


@pytest.mark.long
def test_what_is_found_of_a_mirror_is_what_docker_gets_from_it(kit: Kit, one: BlankHost) -> None:
    with odd_mirrors(kit.world.net.address(1)) as urls, door(kit.world, one) as (machine, client):
        containerd = store(info := client.info()) == "containerd"
        answers = served(machine, [*urls.values()], [IMAGE], "x86_64", info, DIRECT)
        asked = {each.registry: each for each in answers}
        found = {way: word(asked[url]) in SERVES for way, url in urls.items()}
        output = {
            way: kit.ssh(one, PULL.format(url=url, image=IMAGE), check=False)
            for way, url in urls.items()
        }
    pulled = {way: "Status: Downloaded" in text for way, text in output.items()}
    wrong = {way: (why(asked[urls[way]]), output[way]) for way in urls if found[way] != pulled[way]}
    assert wrong.keys() == (AT_THE_DOOR if containerd else set()), json.dumps(wrong, indent=1)
    assert not any(found[way] for way in wrong)
