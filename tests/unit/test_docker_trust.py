"""Whose certificates a host's Docker takes, by its version and its image store."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runnerkit import converge
from runnerkit.engine import certificate
from runnerkit.facts import File
from runnerkit.facts.docker_trust import CERTS, checked, of_registry
from runnerkit.files.site_cache import AUTHORITY
from runnerkit.plan import Script
from runnerkit.steps import cache_trust, site_cache
from tests.unit.build import converged
from tests.unit.test_site_cache import PEM, TRUST, URL, asks, cache, serving, titles

CONTAINERD = {"DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]]}
OF_MIRROR, OF_HUB, OF_SYSTEM = "of the mirror", "of docker.io", "of the system"
FILES = {
    f"{CERTS}/m.example.com:5000/ca.crt": OF_MIRROR,
    f"{CERTS}/m.example.com/ca.crt": "of another port",
    f"{CERTS}/docker.io/ca.crt": OF_HUB,
    "/usr/local/share/ca-certificates/ours.crt": OF_SYSTEM,
}
TOGETHER = f"{CERTS}/docker.io/runnerkit-cache-10.0.0.5:5443.crt"


@pytest.mark.parametrize(
    ("version", "store", "mirror", "expected"),
    [
        ("20.10.24", {}, True, OF_MIRROR),
        ("28.5.2", CONTAINERD, True, OF_MIRROR),
        ("29.1.0", {}, True, OF_MIRROR),
        ("29.1.0", CONTAINERD, True, OF_HUB),
        ("29.1.0", CONTAINERD, False, OF_MIRROR),
        ("", {}, True, OF_MIRROR),
    ],
)
def test_a_folder_for_each_registry_or_one_for_all_mirrors(
    version: str, store: dict[str, Any], mirror: bool, expected: str
) -> None:
    info = {"ServerVersion": version, **store}
    found = of_registry(FILES, info, "https://m.example.com:5000", mirror)
    assert found == OF_SYSTEM + expected


def test_with_containerds_store_a_cache_is_trusted_among_all_mirrors_too() -> None:
    info = {**converged().info, "ServerVersion": "29.1.0", **CONTAINERD}
    first = "trust the cache of other at 10.0.0.5:5443"
    have = converged(daemon={"registry-mirrors": [URL]}, info=info)
    assert titles(asks(), have) == [first, f"{first}, for containerd's store"]
    there = {path: File(PEM.encode(), 0o644, 900) for path in (TRUST, TOGETHER)}
    have = replace(have, files={**have.files, **there}, paths=frozenset(there))
    assert titles(asks(), have) == []
    have = replace(have, files={path: have.files[path] for path in there})
    assert titles(replace(asks(), caches=()), have) == ["trust 10.0.0.5:5443 no longer"]


def test_a_cache_takes_the_ca_of_the_settings_for_its_upstream(tmp_path: Path) -> None:
    (file := tmp_path / "ca").write_text(certificate.new()[0])
    wanted = cache(network={"ca_file": str(file)})
    have = serving(wanted)
    assert have.files[AUTHORITY].text == file.read_text()
    assert titles(wanted, have) == []
    without = [
        f"remove {AUTHORITY}",
        "run the cache of Docker Hub's images, runnerkit-cache anew (its settings changed)",
    ]
    assert titles(cache(), have) == without
    assert titles(wanted, serving(cache())) == [f"write {AUTHORITY}", without[1]]
    run = converge.plan(wanted, converged(), (site_cache, cache_trust))
    (text,) = (one.text for one in run if isinstance(one, Script) and "run the" in one.title)
    assert "-e SSL_CERT_FILE=/etc/runnerkit-cache/ca.crt" in text


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://m.example.com:5000", False),
        ("https://m.example.com", True),
        ("https://10.1.2.3:5000", False),
        ("https://[fd00::1]:5000", True),
        ("https://192.0.2.1", True),
    ],
)
def test_a_certificate_is_checked_but_for_an_insecure_registry(url: str, expected: bool) -> None:
    known = {"m.example.com:5000": {"Secure": False}, "docker.io": {"Secure": True}}
    registries = {"IndexConfigs": known, "InsecureRegistryCIDRs": ["10.0.0.0/8", "::1/128"]}
    assert checked(info := {"RegistryConfig": registries}, url) == expected
    assert checked({**info, "ServerVersion": "28.5.2", **CONTAINERD}, url)
    assert checked({**info, "ServerVersion": "29.1.0", **CONTAINERD}, url) == expected
    assert checked({}, url)
