"""The engine: old, new, cut off, and what its daemon.json makes of it."""

import json
from dataclasses import replace

import pytest

from runnerkit import converge
from runnerkit.errors import KitError
from runnerkit.facts import Facts, File
from runnerkit.plan import Script
from runnerkit.want import Want
from tests.unit.build import DAEMON, converged, want


def titles(wanted: Want, have: Facts) -> list[str]:
    return [change.title for change in converge.plan(wanted, have)]


def test_keys_of_daemon_json_that_are_not_ours_stay() -> None:
    wanted = want(docker={"registry_mirrors": ["http://m"], "daemon": {"debug": True}})
    have = converged(daemon={"data-root": "/big", "debug": False})
    write = converge.plan(wanted, have)[0]
    assert isinstance(write, Script)
    assert (
        '-  "debug": false' in write.diff.replace('"debug": false}', '"debug": false')
        or "debug" in write.diff
    )
    assert "/big" in write.diff


def test_a_daemon_that_forgot_its_mirrors_is_reloaded() -> None:
    wanted = want(docker={"registry_mirrors": ["http://m"]})
    assert titles(wanted, converged(daemon={"registry-mirrors": ["http://m"]})) == ["reload docker"]


def test_a_daemon_older_than_its_file_is_restarted_only_for_keys_that_need_it() -> None:
    late = {DAEMON: File(json.dumps({"log-driver": "json-file"}).encode(), 0o644, 2000)}
    have = converged()
    have = converged(files={**have.files, **late})
    assert titles(want(docker={"daemon": {"log-driver": "json-file"}}), have) == ["restart docker"]
    assert titles(want(), have) == []


def test_a_hot_change_keeps_the_time_of_the_last_change_that_needs_a_restart() -> None:
    wanted = want(docker={"registry_mirrors": ["http://m"]})
    write = converge.plan(wanted, converged(daemon={"log-driver": "local"}))[0]
    assert isinstance(write, Script)
    assert 'touch -d @500 "$new"' in write.text


def engine(version: str, api: str, least: str) -> Facts:
    info = {"ServerVersion": version, "RegistryConfig": {"Mirrors": []}}
    return converged(info=info, version={"ApiVersion": api, "MinAPIVersion": least})


def manager(version: str) -> Want:
    return want(manager={"image": f"gitlab/gitlab-runner:{version}"})


def test_an_engine_too_old_is_refused() -> None:
    with pytest.raises(KitError, match=r"Docker Engine 18\.09\.1 is too old: it speaks API 1\.39"):
        titles(want(), engine("18.09.1", "1.39", "1.12"))


@pytest.mark.parametrize(
    ("runner", "least", "newer"),
    [
        ("v17.4.0", "1.44", "v17.5"),
        ("alpine-v15.11.1", "1.44", "v17.5"),
        ("v17.5.5", "1.47", "v17.11"),
    ],
)
def test_a_manager_that_an_engine_does_not_talk_to_is_refused(
    runner: str, least: str, newer: str
) -> None:
    with pytest.raises(KitError, match="every job would fail") as caught:
        titles(manager(runner), engine("29.0.0", "1.52", least))
    assert f"{newer} or newer" in caught.value.fix


@pytest.mark.parametrize("version", ["dev", "29.3.1", "library-import"])
def test_an_engine_is_judged_by_its_api_whatever_its_version(version: str) -> None:
    assert titles(want(), engine(version, "1.56", "1.40")) == []
    assert titles(manager("latest"), engine(version, "1.56", "1.44"))


STORE = {"features": {"containerd-snapshotter": True}}


def test_another_image_store_needs_a_restart_and_the_plan_says_what_it_hides() -> None:
    wanted = want(docker={"daemon": STORE})
    write, restart = titles(wanted, converged(daemon={}))
    assert (write, restart.partition(" (")[0]) == (
        "write /etc/docker/daemon.json",
        "restart docker",
    )
    assert "none of the images" in restart
    assert titles(wanted, converged(daemon=STORE)) == []
    assert titles(wanted, converged(daemon=STORE, started=400))[:1] == ["restart docker"]


def test_other_features_are_taken_up_by_a_reload() -> None:
    wanted = want(docker={"daemon": {"features": {"buildkit": False}}})
    assert titles(wanted, converged(daemon={})) == [
        "write /etc/docker/daemon.json",
        "reload docker",
    ]


@pytest.mark.parametrize(
    ("flags", "docker"),
    [
        (("--registry-mirror", "https://m"), {"registry_mirrors": ["https://n"]}),
        (("--registry-mirror=https://m",), {"registry_mirrors": ["https://n"]}),
        (("-H", "fd://", "--log-driver=journald"), {"daemon": {"log-driver": "json-file"}}),
        (("--log-opt=max-size=1m",), {"daemon": {"log-opts": {"max-size": "2m"}}}),
    ],
)
def test_a_key_that_dockerd_has_as_a_flag_is_refused_before_the_write(
    flags: tuple[str, ...], docker: dict[str, object]
) -> None:
    with pytest.raises(KitError, match="started with a flag for") as caught:
        titles(want(docker=docker), converged(daemon={}, flags=flags))
    assert "systemctl cat docker" in caught.value.fix
    assert titles(want(), converged(daemon={}, flags=flags)) == []


CONTAINERD = {"DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]]}


@pytest.mark.parametrize(("wanted", "restarts"), [(True, False), (False, True)])
def test_the_store_that_runs_counts_not_the_file(wanted: bool, restarts: bool) -> None:
    have = converged(daemon={})
    have = replace(have, info={**have.info, **CONTAINERD})
    daemon = {"features": {"containerd-snapshotter": wanted}}
    changes = titles(want(docker={"daemon": daemon}), have)
    assert any(title.startswith("restart docker") for title in changes) is restarts


def test_an_engine_from_the_future_is_not_judged() -> None:
    assert titles(want(), engine("40.0", "2.0", "1.99")) == []
