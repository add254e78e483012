"""package_mirror = "auto" among sites that lie, for hosts and for bundles: the kit's own list of names,
which lead to a server of the tests."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from runnerkit.facts import package_mirrors
from runnerkit.steps.docker_engine import CE
from sandbox.world import BlankHost, World
from tests.hosts.conftest import Blank
from tests.hosts.kit import RESTART, Kit, Ran
from tests.hosts.test_bundle import BASES, cut_off

pytestmark = pytest.mark.long
HERE = Path(__file__).parent
NAMES = [str(urlsplit(site).hostname) for site in package_mirrors.SITES]
DOCKER, TUNA, USTC, ALIYUN, TENCENT = NAMES
LIST = "/etc/apt/sources.list.d/docker.list"
REMOVED = "apt-get purge -y -q docker-ce docker-ce-cli containerd containerd.io runc >/dev/null && apt-get clean"


@pytest.fixture(scope="module")
def sites(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlankHost]:
    """The host that is all of them."""
    kit, host = Kit(world, tmp_path_factory.mktemp("sites")), world.host("sites")
    kit.ssh(host, (HERE / "site.sh").read_text())
    server = (HERE / "lying_sites.py").read_text()
    names = ",".join(f"DNS:{name}" for name in NAMES)
    kit.ssh(host, f"mkdir -p /lies; cat >/lies/serve.py <<'PYTHON'\n{server}\nPYTHON\n"
                  f"NAMES={names}\n{(HERE / 'lying_sites.sh').read_text()}")  # fmt: skip
    yield host
    world.remove("sites")


def ways(kit: Kit, sites: BlankHost, **ways: str) -> None:
    """What each site is from now on; one that is not named resets."""
    named = {globals()[name]: way for name, way in ways.items()}
    kit.ssh(sites, f"echo '{json.dumps(named)}' >/lies/ways.json; : >/lies/asked")


def led(kit: Kit, sites: BlankHost, host: BlankHost) -> None:
    """The host finds all of the names at that server, and trusts its certificate; its settings have "auto"."""
    certificate = kit.ssh(sites, "cat /site/names.crt")
    kit.ssh(host, f"""echo '{sites.address} {" ".join(NAMES)}' >>/etc/hosts
        echo '{certificate}' >/usr/local/share/ca-certificates/sites.crt
        update-ca-certificates >/dev/null 2>&1""")  # fmt: skip
    key = kit.ssh(sites, "cat /site/fingerprint").strip()
    docker = {"source": "docker-ce", "package_mirror": "auto", "package_key": key}
    kit.settings(host, docker=docker)
    kit.new_token()


def taken(kit: Kit, host: BlankHost, ran: Ran) -> str:
    """The site that was taken, which is told and written down, and of which the packages are."""
    name = str(urlsplit(kit.ssh(host, f"cat {LIST}").split()[3]).hostname)
    assert f"note: Docker's packages come from https://{name}" in ran.err
    assert name in kit.ssh(host, "apt-cache policy docker-ce")
    kit.ssh(host, "dpkg -s docker-ce docker-buildx-plugin >/dev/null")
    return name


def test_the_fastest_right_site_is_taken_and_another_once_it_has_died(
    kit: Kit, blank: Blank, sites: BlankHost
) -> None:
    host = blank("systemd")
    led(kit, sites, host)
    ways(
        kit,
        sites,
        DOCKER="slow",
        TUNA="other-key",
        USTC="no packages",
        ALIYUN="right",
        TENCENT="stale",
    )
    assert taken(kit, host, kit.bootstrap()) == ALIYUN
    assert kit.plan().code == 0
    kit.ssh(host, REMOVED)
    ways(kit, sites, DOCKER="trickles", TUNA="hangs", USTC="reset", ALIYUN="hangs", TENCENT="slow")
    assert taken(kit, host, kit.bootstrap()) == TENCENT
    kit.ssh(host, REMOVED)
    ways(
        kit,
        sites,
        DOCKER="right",
        TUNA="hangs later",
        USTC="portal",
        ALIYUN="broken",
        TENCENT="hangs later",
    )
    assert taken(kit, host, kit.bootstrap()) == DOCKER


def test_where_all_lie_each_is_told_and_the_host_has_the_sources_that_it_had(
    kit: Kit, blank: Blank, sites: BlankHost
) -> None:
    host = blank("systemd")
    led(kit, sites, host)
    listing = "cd /etc/apt && find . -type f | sort | xargs sha256sum"
    before = kit.ssh(host, listing)
    ways(
        kit,
        sites,
        DOCKER="old",
        TUNA="other-key",
        USTC="no packages",
        ALIYUN="broken",
        TENCENT="stale",
    )
    failed = kit.bootstrap(code=1).hosts[host.name]
    for name, why in {
        DOCKER: "404", TUNA: "GPG error", USTC: "404", ALIYUN: "Hash Sum mismatch", TENCENT: "expired",
    }.items():  # fmt: skip
        (answer,) = [one for one in failed["error"].split("; ") if f"https://{name}" in one]
        assert why in answer, failed["error"]
    assert "package_mirror" in failed["fix"]
    assert kit.ssh(host, listing) == before
    assert (
        kit.ssh(host, "command -v dockerd; apt-get update -q 2>&1 | grep '^[EW]'", check=False)
        == ""
    )


def test_a_bundle_has_the_packages_of_the_right_site_and_a_host_needs_none(
    kit: Kit, blank: Blank, sites: BlankHost
) -> None:
    """The container in which they are resolved asks a DNS server that knows the names."""
    maker, host = blank("docker", "maker"), blank("systemd")
    names = " ".join(f"--address=/{name}/{sites.address}" for name in NAMES)
    kit.ssh(sites, f"""apt-get install -y -q --no-install-recommends dnsmasq-base >/dev/null 2>&1
        dnsmasq --bind-interfaces --listen-address={sites.address} {names}""")  # fmt: skip
    kit.mirrored(maker, dns=[sites.address])
    kit.ssh(maker, RESTART)
    led(kit, sites, host)
    docker = {**kit.data["docker"], "min_free_mb": 100}
    (kit.folder / "ca.pem").write_text(kit.ssh(sites, "cat /site/names.crt"))
    kit.settings(
        maker, docker=docker, bundle={"bases": BASES},
        network={"ca_file": str(kit.folder / "ca.pem")},
    )  # fmt: skip
    ways(
        kit,
        sites,
        DOCKER="other-key",
        TUNA="right",
        USTC="no packages",
        ALIYUN="stale",
        TENCENT="hangs",
    )
    words = ("--for", "debian-12", "--from", "maker")
    made = kit.run("bundle.make", "ce.tar", *words, timeout=900)
    assert made.code == 0, made.err
    assert f"note: Docker's packages come from https://{TUNA}/docker-ce" in made.err
    assert "debian-12, docker-ce: " in made.out
    ways(kit, sites)
    failed = kit.run("bundle.make", "ce.tar", *words, timeout=900)
    assert "none of the known mirrors" in failed.err
    assert failed.code == 1

    kit.settings(host, docker={**docker, "registry_mirrors": []})
    cut_off(kit, host)
    kit.new_token(tag_list="ce")
    done = kit.bootstrap("all", 0, "--bundle", str(kit.folder / "ce.tar"))
    assert done.titles[0].startswith("install Docker (the bundle's")
    there = kit.ssh(host, "dpkg-query -W -f '${Package}\\n'; ls /etc/apt/sources.list.d").split()
    assert {*CE.split()} <= {*there}
    assert not {"docker.io", "docker.list"} & {*there}
    assert kit.job("echo it runs", image="tester", tags=["ce"])["state"] == "success"
    assert kit.plan().code == 0
