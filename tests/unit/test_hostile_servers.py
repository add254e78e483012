"""What answers a host in the place of a registry or of GitLab is data: whatever it says has a verdict."""

import json
import threading
from dataclasses import replace
from typing import Any

import pytest

from runnerkit.checks.network import registries
from runnerkit.engine.serving import serves
from runnerkit.fleet.health.probing import MOST, Probing, beside
from runnerkit.machine import local
from runnerkit.machine.machine import Machine
from runnerkit.machine.route import Route, Trouble
from tests.unit.build import want
from tests.unit.test_doctor import healthy
from tests.unit.test_doctor_checks import served as facts_served
from tests.unit.test_hostile_gitlab import Site, served

IMAGE = "team/web:1"
BEARER = {"WWW-Authenticate": 'Bearer realm="{url}/token",service="x"'}


def route(**trusted: str) -> Route:
    return Route(Machine(local.context()), trusted=trusted)


def asked(bodies: dict[str, Any], heads: dict[str, str] | None = None, status: int = 200) -> str:
    """The step at which a registry fails that answers so, by the end of the path."""

    def answer(_: str, path: str) -> tuple[int, dict[str, str], bytes]:
        first = path == "/v2/" and "Location" not in (heads or {})
        known = next(
            (one for end, one in bodies.items() if path.partition("?")[0].endswith(end)), ""
        )
        body = known if isinstance(known, bytes) else json.dumps(known).encode()
        named = {key: one.format(url=site.url) for key, one in (heads or {}).items()}
        return (status if first or "/blobs/" in path else 200), named, body

    with served(Site(answer)) as site:
        return serves(route(), site.url, IMAGE, "amd64").step


@pytest.mark.parametrize("token", [5, ["x"], {"a": 1}, "a\r\nX: y", "ü", None])
def test_a_token_of_any_shape_is_a_verdict(token: object) -> None:
    assert asked({"/token": {"token": token}}, BEARER, 401) in ("token", "manifest")


@pytest.mark.parametrize(
    "manifest",
    [
        *(5, [], "x", None, b"\xff", b"[" * 90000),
        *({"layers": one} for one in (5, "abc", [5], [{"size": "x"}, {"size": 1}], {"a": 1})),
        *({"manifests": one} for one in (5, "abc", [5], [{"platform": 7}], [{"platform": ["x"]}])),
    ],
)
def test_a_manifest_of_any_shape_is_a_verdict(manifest: object) -> None:
    assert asked({"/manifests/1": manifest}) in ("manifest", "blob", "")


@pytest.mark.parametrize(
    "place", ["http://[", "http://a:99999/", "http://.a/", "https:///x", "\xff"]
)
def test_a_layer_may_lie_at_no_address(place: str) -> None:
    layers = {"/manifests/1": {"layers": [{"digest": "sha256:a", "size": 1}]}}
    assert asked(layers, {"Location": place}, 302) == "blob"


@pytest.mark.parametrize(
    "url", ["http://[", "http://a:99999/", "https://", "ftp://x", "http://127.0.0.1:1/\xfc\n"]
)
def test_an_address_that_a_host_names_may_be_none(url: str) -> None:
    with pytest.raises(Trouble):
        route().ask(url)


@pytest.mark.parametrize("text", ["# Főtanúsítvány", "\0", "-----BEGIN CERTIFICATE-----\nx"])
def test_a_certificate_of_the_host_may_be_none(text: str) -> None:
    with served(Site()) as site, pytest.raises(Trouble, match="nonsense"):
        route(**{"": text}).ask(site.url.replace("http:", "https:"))


@pytest.mark.parametrize("date", ["Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "x", ""])
def test_a_time_may_be_none(date: str) -> None:
    probing = Probing(Machine(local.context()), want(), healthy(), 0.0)
    assert probing._skew(date) is None


@pytest.mark.parametrize(
    ("status", "codes"), [(401, []), (502, ["registry-other"]), (None, ["registry-unreachable"])]
)
def test_a_registry_with_a_login_is_asked_whether_it_is_there(
    status: int | None, codes: list[str]
) -> None:
    with served(Site(lambda *_: (status or 0, {}, b""))) as site:
        where = site.url.removeprefix("http://") if status else "127.0.0.1:1"
        image = f"{where}/team/web:1"
        wanted = want(docker={"registry_logins": [where]}, runners={"web": {"image": image}})
        info = {
            "ServerVersion": "28.0.0",
            "RegistryConfig": {"IndexConfigs": {where: {"Secure": False}}},
        }
        have = replace(healthy(), info=info)
        probing = Probing(Machine(local.context()), wanted, have, 0.0)
        probing._ask_image(image)
    found = registries.findings(wanted, replace(have, probe=probing.probe))
    assert [one.code for one in found] == codes
    assert [line.split()[1] for line in site.seen] == ["/v2/"] * bool(status)


def test_a_host_that_names_mirrors_without_end_is_asked_about_some() -> None:
    calls: list[int] = []
    beside((lambda: calls.append(threading.active_count())) for _ in range(100 * MOST))
    assert len(calls) == MOST


def test_a_login_in_an_address_is_not_shown() -> None:
    have = facts_served("door", 500, where="https://user:sentinel@mirror.example.com")
    (found,) = registries.findings(want(), have)
    assert "mirror.example.com" in found.what
    assert "sentinel" not in f"{found}"


def test_a_login_in_an_address_goes_nowhere() -> None:
    with served(Site()) as site:
        route().ask(site.url.replace("//", "//user:sentinel@"))
    assert "sentinel" not in site.seen[0]
    assert "uthorization" not in site.seen[0]
