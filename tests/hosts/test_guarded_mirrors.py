"""Mirrors by TLS of a CA of one's own, with a token service: what the probe says the engine does."""

import json
from collections.abc import Iterator

import pytest

from sandbox.world import BlankHost, World
from tests.hosts import engines, guarded
from tests.hosts.kit import Kit
from tests.hosts.test_mirrors import in_use, words

pytestmark = pytest.mark.long
WORDS = {"works": "good", "down": "no token service", "foreign": "dead"}
WHY = {"works": "", "down": "its token service is https://127.0.0.1:1/token: ", "foreign": "self"}
OURS = "/etc/docker/certs.d/{}/ours.crt"


@pytest.fixture(scope="module", params=engines.ENGINES)
def host(
    request: pytest.FixtureRequest, world: World, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BlankHost]:
    kit = Kit(world, tmp_path_factory.mktemp("guarded"))
    yield engines.running(kit, "guarded", request.param)
    world.remove("guarded")


@pytest.fixture
def urls(kit: Kit) -> Iterator[dict[str, str]]:
    net = kit.world.net
    with guarded.mirrors(net.address(1), kit.world.mirror_url, kit.folder) as found:
        yield found


def settings(kit: Kit, host: BlankHost, urls: dict[str, str], ca: bool = True) -> None:
    """The mirrors choose themselves among these; the CA is that of the settings."""
    docker = {"registry_mirrors": "auto", "mirror_candidates": [*urls.values()]}
    network = {"ca_file": str(kit.folder / "ca")} if ca else {}
    kit.settings(host, docker=docker, network=network)


def pulls(kit: Kit, host: BlankHost, url: str) -> bool:
    """Whether the host's Docker itself gets an image by that mirror alone."""
    data = json.loads(kit.ssh(host, "cat /etc/docker/daemon.json"))
    text = json.dumps({**data, "registry-mirrors": [url]})
    kit.ssh(host, f"""echo '{text}' >/etc/docker/daemon.json; pkill -HUP -x dockerd
        until docker info 2>/dev/null | grep -qF {url}; do sleep 0.1; done
        docker rmi -f registry:2 >/dev/null 2>&1 || :""")  # fmt: skip
    return "pulled" in kit.ssh(host, "docker pull -q registry:2 >/dev/null && echo pulled; :")


def test_each_is_called_what_it_is_and_the_engine_agrees(
    kit: Kit, host: BlankHost, urls: dict[str, str]
) -> None:
    kit.new_token()
    settings(kit, host, urls)
    kit.bootstrap()
    assert {*in_use(kit, host)} & {*urls.values()} == {urls["works"]}
    ran = kit.run("mirror.probe", "--host", host.name, "--json")
    found = words(ran, host)
    assert {name: found[url] for name, url in urls.items()} == WORDS
    whys = {one["mirror"]: one["images"][0]["why"] for one in ran.hosts[host.name]["mirrors"]}
    assert all(WHY[name] in whys[url] for name, url in urls.items()), whys
    for name, url in urls.items():
        assert pulls(kit, host, url) == (WORDS[name] == "good"), name


def test_one_that_the_engine_alone_trusts_is_good_and_one_of_another_folder_is_not(
    kit: Kit, host: BlankHost, urls: dict[str, str]
) -> None:
    """By certs.d: before 29 a folder for each mirror, with containerd's store there one for all.

    Containerd's store before 29 takes a mirror's folder for the mirror alone, and trusts its token service
    by the system's certificates: the kit does not tell these two apart.
    """
    settings(kit, host, urls, ca=False)
    if kit.plan().titles:
        kit.new_token()
        kit.bootstrap(code=0)
    ours = (kit.folder / "ca").read_text()
    place = urls["works"].partition("://")[2]
    engine = kit.ssh(host, "docker info --format '{{.ServerVersion}} {{.DriverStatus}}'")
    early = engine.startswith("28") and "containerd" in engine
    for folder in (*([] if early else [place]), "docker.io", place.partition(":")[0]):
        kit.ssh(host, f"""rm -rf /etc/docker/certs.d; mkdir -p /etc/docker/certs.d/{folder}
            echo '{ours}' >{OURS.format(folder)}""")  # fmt: skip
        ran = kit.run("mirror.probe", "--host", host.name, "--json")
        good = words(ran, host)[urls["works"]] == "good"
        assert pulls(kit, host, urls["works"]) == good, folder
    kit.ssh(host, "rm -rf /etc/docker/certs.d")


def test_one_that_has_died_is_told_by_doctor_and_status_with_what_takes_its_place(
    kit: Kit, host: BlankHost, urls: dict[str, str]
) -> None:
    kit.new_token()
    net = kit.world.net
    with guarded.mirrors(net.address(1), kit.world.mirror_url, kit.folder) as more:
        settings(kit, host, {"other": more["works"]})
        kit.bootstrap("all", 0, "--mirrors-anew")
        assert more["works"] in in_use(kit, host)
    settings(kit, host, {"other": more["works"], **urls})
    for verb in (("doctor", "--no-rehearsal"), ("status",)):
        ran = kit.run(*verb, "--host", host.name, "--json")
        (found,) = ran.found("mirror-gone")
        assert ran.code == 1 and more["works"] in found["what"]
        assert f"--mirrors-anew takes {urls['works']} in its place" in found["fix"].replace(
            host.name, "NAME"
        )
    kit.bootstrap("all", 0, "--mirrors-anew")
    assert urls["works"] in in_use(kit, host)
    assert more["works"] not in in_use(kit, host)
    assert not kit.run("status", "--host", host.name, "--json").found("mirror-gone")


def test_one_whose_certificate_the_engine_need_not_trust_is_judged_so(
    kit: Kit, host: BlankHost, urls: dict[str, str]
) -> None:
    settings(kit, host, urls, ca=False)
    engine = kit.ssh(host, "docker info --format '{{.ServerVersion}} {{.DriverStatus}}'")
    data = json.loads(kit.ssh(host, "cat /etc/docker/daemon.json"))
    places = [url.partition("://")[2] for url in urls.values()]
    # Containerd's store heeds that from 29 on.
    heeds = "29" in engine or "containerd" not in engine
    for insecure in ([], places, ["10.0.0.0/8"]):
        text = json.dumps({**data, "insecure-registries": insecure})
        kit.ssh(host, f"echo '{text}' >/etc/docker/daemon.json")
        got = {name: pulls(kit, host, url) for name, url in urls.items()}
        found = words(kit.run("mirror.probe", "--host", host.name, "--json"), host)
        assert {name: found[url] == "good" for name, url in urls.items()} == got, insecure
        assert got["works"] == (heeds and bool(insecure))
