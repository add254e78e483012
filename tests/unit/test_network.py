"""A proxy and a CA of the settings reach each place that needs them, and go from there."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runnerkit import converge
from runnerkit.engine import certificate
from runnerkit.errors import KitError
from runnerkit.facts import Facts, File
from runnerkit.files import daemon_json as file_of_daemon
from runnerkit.files import outside
from runnerkit.files.write import Content
from runnerkit.fleet import obstacles
from runnerkit.plan import Build, Endpoint, Script
from runnerkit.settings.access import Access
from runnerkit.settings.load import load
from runnerkit.settings.network import Network
from runnerkit.steps import daemon_json, docker_engine, network
from runnerkit.want import Want
from tests.unit.build import DAEMON, blank, container, converged, want

PROXY = "http://proxy.example.com:3128"
NEAR = "localhost,127.0.0.0/8,127.0.0.1,::1,172.17.0.0/16"
AUTHORITY = "/srv/gitlab-runner/config/certs/gitlab.example.com.crt"
NEW = {"ServerVersion": "28.5.2", "RegistryConfig": {"Mirrors": []}}
OLD = {"ServerVersion": "20.10.24", "RegistryConfig": {"Mirrors": []}}


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    """A file with a certificate, and a key that nobody shall see."""
    (file := tmp_path / "ca.pem").write_text("a CA\n" + "".join(certificate.new()))
    return file


def titles(wanted: Want, have: Facts) -> list[str]:
    return [one.title for step in (network, daemon_json) for one in step.changes(wanted, have)]


def proxied(**more: Any) -> Want:
    return want(network={"proxy": PROXY, **more})


def after(wanted: Want, have: Facts, started: int = 1000) -> Facts:
    """The same host, with the files that its steps write."""
    daemon = file_of_daemon.parsed(have)
    files: dict[str, Content] = {
        **outside.of_dockerd(wanted, have, daemon),
        **outside.of_others(wanted, have),
    }
    written = {p: File(one.text.encode(), one.mode, 500) for p, one in files.items()}
    return replace(have, started=started, files={**have.files, **written})


def test_an_engine_of_before_23_has_it_from_its_unit_and_a_restart() -> None:
    have = converged(info=OLD)
    wanted = proxied()
    assert titles(wanted, have) == [
        f"write {outside.UNIT}",
        f"write {outside.VARIABLES}",
        f"write {outside.APT}",
        "restart docker",
    ]
    assert titles(wanted, after(wanted, have)) == []
    assert titles(wanted, after(wanted, have, started=400)) == ["restart docker"]


def test_a_newer_one_has_it_from_its_own_file() -> None:
    have = converged(info=NEW)
    assert titles(proxied(), have) == [
        f"write {outside.APT}",
        f"write {DAEMON}",
        "restart docker",
    ]
    (write, _) = daemon_json.changes(proxied(), have)
    assert f'"https-proxy": "{PROXY}"' in write.diff
    assert f'"no-proxy": "{NEAR}"' in write.diff


def test_of_a_blank_host_nobody_knows_the_version_so_its_unit_has_it_and_keeps_it() -> None:
    wanted, have = proxied(), blank()
    assert [one.title for one in converge.plan(wanted, have)][:4] == [
        f"write {outside.UNIT}",
        f"write {outside.VARIABLES}",
        f"write {outside.APT}",
        "install Docker (distro, Debian GNU/Linux 12 (bookworm))",
    ]
    installed = after(wanted, replace(have, dockerd=True, info=NEW))
    installed = replace(installed, files=after(wanted, have).files)
    assert titles(wanted, installed) == []


def test_without_systemd_the_file_has_it() -> None:
    found = titles(proxied(), blank(systemd=False))
    assert found == [f"write {outside.APT}", f"write {DAEMON}"]


def test_the_installation_goes_through_it() -> None:
    (install,) = docker_engine.changes(proxied(), blank())
    assert isinstance(install, Script)
    assert f"export https_proxy={PROXY}\n" in install.text.partition("set -eu")[0]


def test_what_leaves_the_settings_goes_with_the_restart() -> None:
    have = after(proxied(), converged(info=OLD))
    assert titles(want(), have) == [f"remove {outside.APT}", "restart docker"]
    *_, restart = daemon_json.changes(want(), have)
    assert isinstance(restart, Script)
    assert f"rm -f {outside.UNIT} {outside.VARIABLES}\n" in restart.text
    gone = replace(have, info={}, dockerd=False)
    (script,) = network.changes(want(), gone)
    assert script.title == f"remove {outside.APT}, {outside.UNIT}, {outside.VARIABLES}"


def test_manager_and_jobs_have_it_as_variables() -> None:
    wanted = proxied(no_proxy=["gitlab.example.com"])
    around = f"{NEAR},gitlab.example.com"
    assert wanted.manager.environment == {
        "HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY, "NO_PROXY": around,
    }  # fmt: skip
    jobs = wanted.runners[0].spec.settings["environment"]
    assert (jobs["https_proxy"], jobs["no_proxy"]) == (PROXY, f"{around},docker")


def test_what_settings_say_themselves_comes_first() -> None:
    wanted = want(
        network={"proxy": PROXY},
        manager={"environment": {"HTTPS_PROXY": "http://other:1"}},
        runners={"web": {"settings": {"environment": ["HTTP_PROXY=", "A=b"]}}},
        docker={"daemon": {"proxies": {"http-proxy": "http://third:1"}}},
    )
    assert wanted.manager.environment["HTTPS_PROXY"] == "http://other:1"
    jobs = wanted.runners[0].spec.settings["environment"]
    assert (jobs["HTTP_PROXY"], jobs["A"], jobs["HTTPS_PROXY"]) == ("", "b", PROXY)
    managed = file_of_daemon.managed(wanted, converged(info=NEW))
    assert managed["proxies"] == {"http-proxy": "http://third:1"}


def test_a_build_has_it_and_its_image_no_trace_of_it() -> None:
    def build(wanted: Want) -> Build:
        have = converged(images={"debian:bookworm": {"Id": "x"}})
        return next(one for one in converge.plan(wanted, have) if isinstance(one, Build))

    job: dict[str, Any] = {
        "images": {"web": {"base": "debian:bookworm"}},
        "runners": {"web": {"image": "web"}},
    }
    one, other = build(want(**job)), build(want(network={"proxy": PROXY}, **job))
    assert (one.proxies, other.proxies["http_proxy"]) == ({}, PROXY)
    assert one.image.inputs == other.image.inputs


def test_a_host_may_have_its_own_and_a_password_is_one_proxys() -> None:
    found = want(
        network={"proxy": "http://u@a:1", "proxy_password": {"env": "NOT_SET"}, "no_proxy": ["x"]},
        hosts={"ci1": {"address": "h", "network": {"proxy": "http://b:2"}}},
    ).network
    assert (found.proxy, found.secret, found.no_proxy) == ("http://b:2", False, ("x",))
    none = want(network={"proxy": PROXY}, hosts={"ci1": {"address": "h", "network": {"proxy": ""}}})
    assert none.network == Access()


def test_a_password_is_shown_nowhere_and_read_by_root_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PROXY_PASSWORD", "senti/nel@1")
    wanted = want(
        network={"proxy": "http://me@p:3128", "proxy_password": {"env": "PROXY_PASSWORD"}},
        images={"web": {"base": "debian:bookworm"}},
        runners={"web": {"image": "web"}},
    )
    assert wanted.network.proxy == "http://me:senti%2Fnel%401@p:3128"
    for have in (blank(), converged(info=NEW), converged(info=OLD), blank(systemd=False)):
        plan = converge.plan(wanted, have)
        assert not [one for one in plan if "senti" in one.title or "senti" in one.diff]
        modes = {p: one.mode for p, one in outside.of_dockerd(wanted, have, {}).items()}
        assert modes.get(outside.VARIABLES, 0o600) == 0o600
    assert outside.of_others(wanted, blank())[outside.APT].mode == 0o600
    assert "senti" not in repr(wanted.network)


def test_the_ca_goes_to_the_system_and_to_the_manager(ca: Path) -> None:
    wanted = want(network={"ca_file": str(ca)})
    have = converged()
    assert titles(wanted, have) == [
        f"write {outside.AUTHORITIES[0]}",
        f"write {AUTHORITY}",
        "restart docker",
    ]
    assert titles(wanted, after(wanted, have)) == []
    assert titles(want(), after(wanted, have)) == [f"remove {AUTHORITY}", "restart docker"]
    assert "PRIVATE" not in wanted.network.ca
    (anchors, *_) = outside.STORES
    fedora = blank(paths=frozenset({anchors}))
    assert list(outside.of_dockerd(wanted, fedora, {})) == [f"{anchors}/runnerkit.crt"]


def test_somebody_elses_file_of_the_same_ca_stays_as_it_is(ca: Path) -> None:
    wanted = want(network={"ca_file": str(ca)})
    theirs = File(f"# by hand\n{wanted.network.ca}".encode(), 0o644, 500)
    have = after(wanted, converged())
    have = replace(have, files={**have.files, AUTHORITY: theirs})
    assert titles(wanted, have) == []
    assert titles(want(), have) == ["restart docker"]


@pytest.mark.parametrize(
    "text", ["", "nothing", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_a_file_without_certificates_is_refused(tmp_path: Path, text: str) -> None:
    (file := tmp_path / "ca").write_text(text)
    with pytest.raises(KitError, match="no certificates"):
        want(network={"ca_file": str(file)})


@pytest.mark.parametrize(
    ("data", "word"),
    [
        ({"proxy": "http://u:secret@p:1"}, "without a password"),
        ({"proxy": "p:3128"}, "the address of a proxy"),
        ({"proxy": "http://proxy.example.com"}, "with its port"),
        ({"proxy": 'http://a";@p:1'}, "the address of a proxy"),
        ({"proxy": "http://pröxy:1"}, "the address of a proxy"),
        ({"proxy": "socks5://p:1"}, "the address of a proxy"),
        ({"proxy": "http://p:0"}, "its port"),
        ({"proxy": PROXY, "proxy_password": {"env": "X"}}, "whose?"),
        ({"proxy_password": "x"}, "a secret is never written here"),
        ({"no_proxy": "a"}, "a list"),
        ({"no_proxy": ["a b"]}, "a name, an address or a network"),
    ],
)
def test_bad_settings_are_told_by_their_path(data: dict[str, Any], word: str) -> None:
    base = {"gitlab": {"url": "https://g"}, "hosts": {"a": {"address": "x", "network": data}}}
    for settings, path in (({"network": data}, "network."), (base, "hosts.a.network.")):
        with pytest.raises(KitError) as caught:
            load(command_line=settings)
        assert word in str(caught.value)
        assert path in str(caught.value)
        assert "secret@" not in str(caught.value)


def test_all_keys_are_left_out_by_default() -> None:
    assert json.dumps(Network().__struct_fields__)
    assert want().network == Access()
    assert titles(want(), converged(containers={"gitlab-runner": container()})) == []


def test_a_sites_cache_is_reached_around_the_proxy() -> None:
    hosts = {"ci1": {"address": "10.0.0.1"}, "ci2": {"address": "10.0.0.2", "cache": True}}
    found = want(network={"proxy": PROXY, "no_proxy": ["x"]}, hosts=hosts)
    (cache,) = found.caches
    assert found.network.no_proxy == ("x", cache.address)
    assert found.network.through(cache.url) == ""


def test_before_anything_is_changed_the_proxy_is_tried_in_the_place_of_what_is_behind_it() -> None:
    tried: list[tuple[str, int]] = []

    def reaches(host: str, port: int) -> bool:
        tried.append((host, port))
        return False

    machine: Any = SimpleNamespace(reaches=reaches)
    ends = [Endpoint(f"https://{name}.example.com", name, "") for name in ("a", "b", "near")]
    change = Script("write", "", reaches=tuple(ends))
    wanted = proxied(no_proxy=["near.example.com"])
    found = list(obstacles.findings(machine, None, replace(wanted, runners=()), [change]))
    assert tried == [("proxy.example.com", 3128), ("near.example.com", 443)]
    assert found[0].what == f"proxy {PROXY} does not answer the host"


@pytest.mark.parametrize("have", [converged(info=OLD), converged(info=NEW), blank()])
def test_a_proxy_is_tried_before_a_file_names_it_for_the_first_time(have: Facts) -> None:
    def tried(wanted: Want, have: Facts) -> set[str]:
        changes = [one for step in (network, daemon_json) for one in step.changes(wanted, have)]
        return {end.url for one in changes for end in one.reaches if end.name == "proxy"}

    assert tried(proxied(), have) == {PROXY}
    there = after(proxied(), have)
    files = {**there.files, DAEMON: File(f'{{"proxies": {{"x": "{PROXY}"}}}}'.encode(), 0o644, 1)}
    assert tried(proxied(no_proxy=["x"]), replace(there, files=files)) == set()
