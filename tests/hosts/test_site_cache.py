"""A cache for a site: filled by one host and used by the other, by TLS alone, and gone with its setting."""

import io
import json
import ssl
import tarfile
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

import docker
import pytest

from runnerkit.engine.registry_client import MANIFESTS
from sandbox.services import mirror
from sandbox.services.containers import DIRECT
from sandbox.world import BlankHost, World
from tests.hosts import engines, guarded
from tests.hosts.kit import Kit, until
from tests.hosts.test_prefix_mirrors import manifest

pytestmark = pytest.mark.long  # two hosts, each from nothing
PAIRS = [
    pytest.param(("20.10", "20.10"), id="20.10"),
    pytest.param(("26.1", "28.5, containerd's store"), id="26.1, asked by 28.5"),
    pytest.param(("28.5, containerd's store", "29"), id="28.5, asked by 29"),
    pytest.param(("29", "26.1"), id="29, asked by 26.1"),
]
SENTINEL = "sentinel-of-a-cache-5d2"
PORT = 5443
CUT = "iptables -I OUTPUT -p tcp -d {0} -j REJECT --reject-with tcp-reset"
OPEN = CUT.replace("-I", "-D")
WRITES = {"POST": "blobs/uploads/", "DELETE": f"manifests/sha256:{'0' * 64}"}
TINY = "tiny:1"
UPLOADS = "docker exec runnerkit-cache find /var/lib/registry -path '*/_uploads/*' -name data"
LISTENING = """awk 'FNR > 1 && $4 == "0A" { print $2 }' /proc/net/tcp /proc/net/tcp6"""


@pytest.fixture(scope="module", params=PAIRS)
def pair(
    request: pytest.FixtureRequest, world: World, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[BlankHost, BlankHost]]:
    """Two hosts with Docker; the first runs the cache."""
    kit = Kit(world, tmp_path_factory.mktemp("engines"))
    names = ("cache1", "cache2")
    first, second = (
        engines.running(kit, name, version)
        for name, version in zip(names, request.param, strict=True)
    )
    yield first, second
    for name in names:
        world.remove(name)


@pytest.fixture(autouse=True)
def _here(kit: Kit, pair: tuple[BlankHost, BlankHost]) -> None:
    kit.new_token()
    with_cache(kit, pair)


def with_cache(kit: Kit, pair: tuple[BlankHost, BlankHost], **cache: object) -> None:
    kit.settings(*pair, hosts={"cache1": {"cache": True}}, cache=cache)


def only_there(world: World) -> None:
    """Put an image into the sandbox's mirror that shares nothing with others."""
    client, data = docker.from_env(), io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("tiny"))
    client.api.import_image_from_data(data.getvalue(), repository="runnerkit-sandbox/tiny", tag="1")
    mirror.push(
        client, world.names, client.images.get("runnerkit-sandbox/tiny:1"), f"library/{TINY}"
    )


def url(host: BlankHost) -> str:
    return f"https://{host.address}:{PORT}"


def mirrors(kit: Kit, host: BlankHost) -> list[str]:
    shown = kit.ssh(host, "docker info --format '{{json .RegistryConfig.Mirrors}}'")
    return [one.rstrip("/") for one in json.loads(shown)]


def ask(place: str, method: str) -> None:
    """A request of somebody who takes any certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    request = Request(place, method=method, headers={"Accept": MANIFESTS})
    build_opener(ProxyHandler({}), HTTPSHandler(context=context)).open(request, timeout=5)


def listening(kit: Kit, host: BlankHost) -> set[str]:
    return {*kit.ssh(host, LISTENING).split()}


def test_what_one_host_has_pulled_the_other_gets_with_the_upstream_cut(
    kit: Kit, pair: tuple[BlankHost, BlankHost]
) -> None:
    """And it listens at one address alone, by TLS, and takes nothing."""
    first, second = pair
    only_there(kit.world)
    before = listening(kit, first)
    kit.bootstrap()
    for host in pair:
        assert mirrors(kit, host) == [url(first), kit.world.mirror_url]
    (opened,) = listening(kit, first) - before
    octets = [int(one, 16) for one in (opened[6:8], opened[4:6], opened[2:4], opened[0:2])]
    assert (".".join(map(str, octets)), int(opened[9:], 16)) == (first.address, PORT)
    with pytest.raises(HTTPError, match="400"):  # without TLS
        DIRECT.open(url(first).replace("https", "http"), timeout=5)
    for method in ("POST", "DELETE"):
        with pytest.raises(HTTPError, match="405"):
            ask(f"{url(first)}/v2/library/debian/{WRITES[method]}", method)
    kit.ssh(first, f"docker pull -q {TINY}")
    until(lambda: not kit.ssh(first, UPLOADS))
    for host in pair:
        kit.ssh(host, CUT.format(kit.world.net.mirror))
    try:
        kit.ssh(second, f"docker pull -q {TINY}")
        assert "ok" not in kit.ssh(
            second, "docker pull -q registry:2 && echo ok; :"
        )  # nobody asked
    finally:
        for host in pair:
            kit.ssh(host, OPEN.format(kit.world.net.mirror))


def test_doctor_and_status_tell_of_a_cache_that_does_not_answer_or_serves_nothing(
    kit: Kit, pair: tuple[BlankHost, BlankHost]
) -> None:
    first, second = pair
    kit.bootstrap()
    status = kit.run("status", "--host", "all", "--json")
    assert {name: one["cache"] for name, one in status.hosts.items()} == {
        "cache1": True,
        "cache2": False,
    }
    assert doctor(kit, second) == []
    kit.ssh(first, "docker stop runnerkit-cache")
    assert doctor(kit, first) == ["cache-stopped", "cache-silent"]
    assert doctor(kit, second) == ["cache-silent"]
    assert kit.run("status", "--host", "cache1", "--json").code == 1
    kit.bootstrap("cache1")
    kit.ssh(first, CUT.format(kit.world.net.mirror))
    try:
        kit.ssh(first, "docker exec runnerkit-cache rm -rf /var/lib/registry/docker")
        assert doctor(kit, second) == ["cache-serves-nothing"]
    finally:
        kit.ssh(first, OPEN.format(kit.world.net.mirror))
    kit.ssh(first, f"rm /var/lib/runnerkit/cache/{first.address}.crt")
    kit.bootstrap("cache1")
    assert doctor(kit, second) == ["cache-untrusted"]
    title = f"trust the cache of cache1 at {first.address}:{PORT}"
    assert {one.partition(",")[0] for one in kit.bootstrap("cache2").titles} == {title}
    assert doctor(kit, second) == []


def doctor(kit: Kit, host: BlankHost) -> list[str]:
    ran = kit.run("doctor", "--host", host.name, "--no-rehearsal", "--json")
    codes = [one["code"] for one in ran.hosts[host.name]["findings"]]
    return [code for code in codes if code.startswith("cache-")]


def test_a_login_of_the_cache_is_in_no_command_and_no_container(
    kit: Kit, pair: tuple[BlankHost, BlankHost]
) -> None:
    """And it is told who can read by it."""
    first, _ = pair
    kit.env["CACHE_PASSWORD"] = SENTINEL
    with_cache(
        kit, pair, username="ci", password={"env": "CACHE_PASSWORD"}, upstream=kit.world.mirror_url
    )
    ran = kit.bootstrap("cache1")
    assert ran.found("cache-login")
    plan = kit.run("plan", "--host", "cache1")
    assert SENTINEL not in ran.out + ran.err + plan.out + plan.err
    assert SENTINEL not in kit.ssh(
        first, "docker inspect runnerkit-cache; docker logs runnerkit-cache 2>&1"
    )
    found = kit.ssh(
        first, f"grep -rlsF {SENTINEL} /etc /root /run /tmp /var/lib/runnerkit; :"
    ).split()
    assert found == ["/var/lib/runnerkit/cache/config.yml"]
    assert kit.ssh(first, f"stat -c %a {found[0]}").strip() == "600"
    with_cache(kit, pair)
    kit.bootstrap("cache1")
    assert SENTINEL not in kit.ssh(first, "cat /var/lib/runnerkit/cache/*")


def test_what_was_not_read_for_the_longest_goes_first_and_comes_back_when_it_is_asked_for(
    kit: Kit, pair: tuple[BlankHost, BlankHost]
) -> None:
    first, second = pair
    kit.bootstrap()
    pull = "docker pull -q registry:2 && docker rmi registry:2"  # which nothing there needs
    kit.ssh(second, pull)
    sizes = "docker exec runnerkit-cache du -sk /var/lib/registry | cut -f1"
    before = int(kit.ssh(first, sizes))
    kit.ssh(first, f"docker exec runnerkit-cache sh /etc/runnerkit-cache/upkeep.sh {before - 1} 0")
    after = int(kit.ssh(first, sizes))
    assert 0 < after < before
    kit.ssh(first, "docker exec runnerkit-cache sh /etc/runnerkit-cache/upkeep.sh 1 0")
    emptied = int(kit.ssh(first, sizes))
    assert emptied < before / 20  # what it notes of images
    kit.ssh(second, pull)
    until(lambda: int(kit.ssh(first, sizes)) > emptied + 1000)


def test_with_its_setting_the_cache_goes_from_both_hosts(
    kit: Kit, pair: tuple[BlankHost, BlankHost]
) -> None:
    first, _ = pair
    kit.bootstrap()
    kit.settings(*pair)
    kit.bootstrap()
    assert kit.plan().code == 0
    for host in pair:
        assert mirrors(kit, host) == [kit.world.mirror_url]
        assert (
            kit.ssh(host, "ls -d /etc/docker/certs.d /var/lib/runnerkit/cache 2>/dev/null; :") == ""
        )
    left = "docker ps -aq --filter name=runnerkit-cache; docker volume ls -q --filter name=runnerkit-cache"
    assert kit.ssh(first, left) == ""
    with_cache(kit, pair)
    kit.bootstrap()
    ran = kit.run("runner.remove", "--host", "all", "--yes", "--json")
    assert ran.code == 0, ran.out + ran.err
    for host in pair:
        assert kit.ssh(host, "ls -d /etc/docker/certs.d /var/lib/runnerkit 2>/dev/null; :") == ""
    assert kit.ssh(first, left) == ""


def test_a_layer_that_came_for_one_image_is_served_for_all_that_have_it(
    kit: Kit, pair: tuple[BlankHost, BlankHost]
) -> None:
    """A host asks for it once, whichever image it is for: the registry alone would note it there only."""
    first, _ = pair
    kit.bootstrap()
    names = ("library/debian:bookworm", "gitlab/gitlab-runner:v19.3.0")
    first_layers = {
        json.loads(manifest(kit.world, name)[2])["layers"][0]["digest"] for name in names
    }
    assert len(first_layers) == 1
    places = [f"{url(first)}/v2/{name.replace(':', '/manifests/')}" for name in names]
    layers = [f"{place.partition('/manifests')[0]}/blobs/{min(first_layers)}" for place in places]
    for place in (*places, layers[0]):
        ask(place, "GET")
    until(lambda: not kit.ssh(first, UPLOADS))
    kit.ssh(first, "docker exec runnerkit-cache sh /etc/runnerkit-cache/upkeep.sh 99999999 0")
    kit.ssh(first, CUT.format(kit.world.net.mirror))
    try:
        for place in layers:
            ask(place, "HEAD")
    finally:
        kit.ssh(first, OPEN.format(kit.world.net.mirror))


def test_its_upstream_may_be_by_a_ca_of_the_site_s_own_with_a_token_service(
    kit: Kit, pair: tuple[BlankHost, BlankHost]
) -> None:
    first, second = pair
    only_there(kit.world)
    net, authority = kit.world.net, "/var/lib/runnerkit/cache/ca.crt"
    with guarded.mirrors(net.address(1), kit.world.mirror_url, kit.folder) as urls:
        network = {"ca_file": str(kit.folder / "ca")}
        hosts = {"cache1": {"cache": True}}
        kit.settings(*pair, hosts=hosts, cache={"upstream": urls["works"]}, network=network)
        kit.bootstrap()
        kit.ssh(first, "docker exec runnerkit-cache rm -rf /var/lib/registry/docker")
        kit.ssh(second, f"docker rmi -f {TINY} 2>/dev/null; {CUT.format(net.mirror)}")
        try:
            kit.ssh(second, f"docker pull -q {TINY}")
        finally:
            kit.ssh(second, OPEN.format(net.mirror))
    assert kit.plan().code == 0
    with_cache(kit, pair)
    assert f"remove {authority}" in kit.plan("cache1").titles
    kit.bootstrap()
    assert kit.ssh(first, f"ls {authority}", check=False) == ""
