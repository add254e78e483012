"""A site's cache: what its host gets, what the others trust, and what goes again."""

import json
from dataclasses import replace
from typing import Any

import pytest

from runnerkit import converge
from runnerkit.checks.network import site_cache as check
from runnerkit.errors import KitError, Mistakes
from runnerkit.facts import Facts, File
from runnerkit.facts.probe import Probe, Reply, Served
from runnerkit.files import daemon_json, memory, record
from runnerkit.plan import Script
from runnerkit.steps import cache_trust, site_cache
from runnerkit.want import Want
from tests.unit.build import MANAGER, blank, container, converged, want

CI1: dict[str, Any] = {"address": "root@10.0.0.5:2222", "cache": True}
CI2: dict[str, Any] = {"address": "root@10.0.0.6"}
URL = "https://10.0.0.5:5443"
FOLDER = "/var/lib/runnerkit/cache"
TRUST = "/etc/docker/certs.d/10.0.0.5:5443/runnerkit-cache.crt"
PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
IMAGE = "registry:2"


def cache(**more: Any) -> Want:
    """The host ci1, which runs the cache."""
    docker = {"registry_image": IMAGE, "registry_mirrors": ["http://m:5000/"]}
    return want(**{"hosts": {"ci1": CI1, "ci2": CI2}, "docker": docker, **more})


def asks(certificate: str | None = PEM, **more: Any) -> Want:
    """A host that asks the cache of another, of which the run knows the certificate."""
    wanted = want(**{"hosts": {"ci1": CI2, "other": CI1}, **more})
    return replace(
        wanted, caches=tuple(replace(one, certificate=certificate) for one in wanted.caches)
    )


def titles(wanted: Want, have: Facts) -> list[str]:
    steps = (site_cache, cache_trust)
    return [change.title for change in converge.plan(wanted, have, steps)]


def serving(wanted: Want, **changes: Any) -> Facts:
    """A host that runs it as wanted."""
    assert wanted.cache
    plan = converge.plan(wanted, converged(), (site_cache,))
    (run,) = (one.text for one in plan if isinstance(one, Script) and "run the cache" in one.title)
    mark = run.partition("--label runnerkit-cache=")[2].split()[0]
    from runnerkit.files.site_cache import files

    now = container(
        Image=f"sha256:{IMAGE}",
        Config={"Labels": {"runnerkit-cache": mark}},
        State={"StartedAt": "1970-01-01T00:16:40.9Z"},
    )
    have = converged(daemon={"registry-mirrors": list(asked(wanted))})
    written = {
        path: File(one.text.encode(), one.mode, 1000) for path, one in files(wanted.cache).items()
    }
    both = {
        f"{FOLDER}/10.0.0.5.crt": File(PEM.encode(), 0o600, 900),
        TRUST: File(PEM.encode(), 0o644, 900),
    }
    have = replace(
        have,
        containers={**have.containers, "runnerkit-cache": now},
        images={**have.images, IMAGE: {"Id": f"sha256:{IMAGE}"}},
        files={**have.files, **written, **both},
        paths=frozenset({FOLDER, f"{FOLDER}/10.0.0.5.key", TRUST}),
    )
    return replace(have, **changes)


def asked(wanted: Want) -> tuple[str, ...]:
    """The registry mirrors that its Docker shall have."""
    return tuple(daemon_json.managed(wanted, blank())[daemon_json.MIRRORS])


def test_a_blank_host_with_the_setting_gets_a_cache_that_it_asks_before_any_mirror() -> None:
    wanted = cache()
    plan = [change.title for change in converge.plan(wanted, blank())]
    assert plan[2:8] == [
        "make the certificate of the cache at 10.0.0.5",
        f"write {FOLDER}/upkeep.sh",
        f"write {FOLDER}/config.yml",
        f"pull {IMAGE}, for the cache",
        "run the cache of Docker Hub's images, runnerkit-cache",
        "trust the cache of ci1 at 10.0.0.5:5443",
    ]
    assert asked(wanted) == (URL, "http://m:5000")


def test_a_host_that_runs_it_as_wanted_needs_nothing() -> None:
    assert titles(cache(), serving(cache())) == []


@pytest.mark.parametrize(
    ("drift", "expected"),
    [
        ({"containers": {}}, ["run the cache of Docker Hub's images, runnerkit-cache"]),
        ({"Image": "sha256:other"}, ["run … anew (another image)"]),
        ({"Config": {"Labels": {}}}, ["run … anew (its settings changed)"]),
        ({"State": {"Running": False}}, ["run … anew (it does not run)"]),
        ({"State": {"StartedAt": "1970-01-01T00:15:00Z"}}, ["run … anew (its settings changed)"]),
        ({"paths": frozenset({FOLDER, TRUST})}, ["make the certificate of the cache at 10.0.0.5"]),
    ],
)
def test_each_drift_of_the_cache_yields_its_own_change(
    drift: dict[str, Any], expected: list[str]
) -> None:
    have = serving(cache())
    if {*drift} <= {"containers", "paths"}:
        have = replace(have, **drift)
    else:
        now = dict(have.containers["runnerkit-cache"])
        for key, value in drift.items():
            now[key] = {**now[key], **value} if isinstance(value, dict) else value
        have = replace(have, containers={**have.containers, "runnerkit-cache": now})
    found = [
        one.replace("the cache of Docker Hub's images, runnerkit-cache anew", "… anew")
        for one in titles(cache(), have)
    ]
    assert found == expected


def test_a_changed_setting_is_written_and_the_container_run_anew() -> None:
    larger = cache(cache={"max_gb": 60})
    assert titles(larger, serving(cache())) == [
        "run the cache of Docker Hub's images, runnerkit-cache anew (its settings changed)"
    ]
    other = cache(cache={"upstream": "https://mirror.example.com"})
    assert titles(other, serving(cache()))[0] == f"write {FOLDER}/config.yml"


@pytest.mark.parametrize(
    ("section", "mirrors", "upstream"),
    [
        ({}, [], "https://registry-1.docker.io"),
        ({}, ["https://m.example.com"], "https://m.example.com"),
        (
            {"upstream": "https://own.example.com"},
            ["https://m.example.com"],
            "https://own.example.com",
        ),
        # A mirror of somebody else's is not shown a login.
        (
            {"username": "ci", "password": {"env": "CACHE"}},
            ["https://m"],
            "https://registry-1.docker.io",
        ),
    ],
)
def test_it_gets_images_from_where_the_settings_say(
    monkeypatch: pytest.MonkeyPatch, section: dict[str, Any], mirrors: list[str], upstream: str
) -> None:
    monkeypatch.setenv("CACHE", "sentinel")
    wanted = cache(cache=section, docker={"registry_mirrors": mirrors})
    assert wanted.cache
    assert wanted.cache.upstream == upstream


def test_a_login_stands_in_one_file_of_root_s_alone_and_in_no_diff(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CACHE", "sentinel")
    wanted = cache(cache={"username": "ci", "password": {"env": "CACHE"}})
    plan = converge.plan(wanted, blank(), (site_cache, cache_trust))
    scripts = [one for one in plan if isinstance(one, Script)]
    assert [one.title for one in scripts if "sentinel" in f"{one.title}{one.diff}"] == []
    from runnerkit.files.site_cache import files

    assert wanted.cache
    held = [one for one in files(wanted.cache).values() if "sentinel" in one.text]
    assert [one.mode for one in held] == [0o600]
    (found,) = check.findings(wanted, serving(wanted))
    assert found.code == "cache-login"
    assert "port 5443" in found.what


def test_another_host_asks_it_first_and_trusts_what_the_run_has_read() -> None:
    wanted = asks(docker={"registry_mirrors": ["http://m:5000"]})
    assert asked(wanted) == (URL, "http://m:5000")
    assert wanted.cache is None
    assert titles(wanted, converged()) == ["trust the cache of other at 10.0.0.5:5443"]
    there = {**converged().files, TRUST: File(PEM.encode(), 0o644, 900)}
    assert titles(wanted, converged(files=there)) == []
    assert titles(asks(PEM.replace("AAAA", "BBBB")), converged(files=there)) == [
        "trust the cache of other at 10.0.0.5:5443"
    ]


def test_a_host_that_runs_one_asks_no_other_and_the_others_ask_all() -> None:
    hosts: dict[str, dict[str, object]] = {
        "ci1": CI1,
        "second": {"address": "10.0.0.7", "cache": True},
    }
    assert [one.host for one in want(hosts=hosts).caches] == ["ci1"]
    hosts = {"ci1": CI2, "other": CI1, "second": hosts["second"]}
    assert [one.host for one in want(hosts=hosts).caches] == ["other", "second"]


def test_mirrors_that_are_named_as_a_key_of_the_daemon_s_stay_behind_the_cache() -> None:
    wanted = asks(docker={"daemon": {"registry-mirrors": ["http://m:5000/"]}})
    assert asked(wanted) == (URL, "http://m:5000")


def test_what_nobody_has_read_keeps_what_the_host_trusts_and_else_fails_with_the_way_out() -> None:
    there = {**converged().files, TRUST: File(PEM.encode(), 0o644, 900)}
    assert titles(asks(""), converged(files=there)) == titles(asks(None), converged(files=there))
    assert titles(asks(""), converged(files=there)) == []
    with pytest.raises(KitError, match="the host of the cache did not answer") as caught:
        converge.plan(asks(""), converged(), (cache_trust,))  # before anything is changed
    assert "./inv bootstrap --host other" in caught.value.fix
    (change,) = converge.plan(asks(None), converged(), (cache_trust,))
    assert change.title == "trust the cache of other at 10.0.0.5:5443"


def test_what_is_asked_no_longer_is_trusted_no_longer() -> None:
    have = converged(paths=frozenset({TRUST, "/etc/docker/certs.d/10.0.0.5:5443"}))
    assert titles(want(), have) == ["trust 10.0.0.5:5443 no longer"]
    kept = {
        **have.files,
        "/etc/docker/daemon.json": File(json.dumps({"registry-mirrors": [URL]}).encode(), 0o644, 1),
    }
    assert titles(want(), replace(have, files=kept)) == []  # other settings' own


def test_a_cache_that_no_settings_want_goes_and_one_of_others_stays() -> None:
    have = serving(cache())
    assert titles(want(), have)[0] == "remove the cache of Docker Hub's images, runnerkit-cache"
    theirs = memory.Record(
        place="/srv/other/config.toml", cache=True, runners={"x": memory.RunnerRecord()}
    )
    text = memory.written(memory.Memory(settings={"other": theirs}))
    kept = {**have.files, memory.PATH: File(text.encode(), 0o600, 1)}
    assert "remove" not in " ".join(titles(want(), replace(have, files=kept)))


def test_it_is_remembered_that_these_settings_want_it() -> None:
    wanted = replace(cache(), origin="mine")
    change = record.settled(wanted, serving(wanted))
    assert change is not None
    assert '+   "cache": true' in change.diff


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        ({"hosts": {"ci1": {"address": "ci1.example.com", "cache": True}}}, "hosts.ci1.cache_address: needed"),
        ({"hosts": {"ci1": {"address": "local", "cache": True}}}, "hosts.ci1.cache_address: needed"),
        ({"hosts": {"ci1": {**CI1, "cache_address": "0.0.0.0"}}}, "is no address of one host"),
        ({"hosts": {"ci1": {**CI1, "cache_address": "ci1"}}}, "hosts.ci1.cache_address: needed"),
        ({"hosts": {"ci1": {**CI1, "cache_address": "10.0.0.5:80"}}}, "hosts.ci1.cache_address: needed"),
        ({"hosts": {"ci1": {**CI1, "cache_address": "fe80::1%eth0'"}}}, "hosts.ci1.cache_address: needed"),
        ({"cache": {"username": "ci"}}, "cache.password: missing"),
        ({"cache": {"password": {"env": "X"}}}, "cache.username: missing"),
        ({"cache": {"port": 70000}}, "cache.port"),
        ({"cache": {"upstream": "https://"}}, "cache.upstream"),
    ],
)  # fmt: skip
def test_what_no_cache_can_be_made_of_is_said_before_any_host_is_touched(
    data: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(Mistakes, match=wrong):
        want(**data)


def test_a_secret_that_is_empty_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CACHE", raising=False)
    with pytest.raises(KitError, match=r"cache\.password is empty: CACHE"):
        cache(cache={"username": "ci", "password": {"env": "CACHE"}})


def test_an_address_of_ipv6_stands_in_brackets() -> None:
    wanted = want(hosts={"ci1": {"address": "root@[fd00::5]:22", "cache": True}})
    assert wanted.cache
    assert (wanted.cache.address, wanted.cache.ip) == ("[fd00::5]:5443", "fd00::5")


@pytest.mark.parametrize(
    ("reply", "step", "code"),
    [
        (Reply(URL, "connection", "refused"), "door", "cache-silent"),
        (Reply(URL, "certificate", "self-signed"), "door", "cache-untrusted"),
        (Reply(URL, status=404), "manifest", "cache-serves-nothing"),
    ],
)
def test_doctor_tells_what_the_cache_answers_a_host(reply: Reply, step: str, code: str) -> None:
    served = (Served(URL, MANAGER, step, reply),)
    have = converged(probe=Probe(served=served))
    assert [one.code for one in check.findings(asks(), have)] == [code]
    good = (*served, Served(URL, "debian:bookworm", "", Reply(URL, status=200)))
    some = converged(probe=Probe(served=good))
    assert [one.code for one in check.findings(asks(), some)] == [code] * (step == "door")
