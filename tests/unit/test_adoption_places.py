"""Where a host's manager is found, and which hosts no settings can leave as they are."""

import json
from dataclasses import replace
from typing import Any

import pytest

from runnerkit.adoption.discovery import ManagerPlace, find
from runnerkit.adoption.hosts import propose
from runnerkit.errors import KitError
from runnerkit.facts import File, ServerRunner
from runnerkit.steps import metadata_rule, prune_timer
from tests.unit import build
from tests.unit.build import GOOD, TOKEN, converged, want
from tests.unit.test_adoption import DEFAULTS, FOLDER, data_of, entry, site, titles
from tests.unit.test_adoption_fuzz import made

RUN = ["/entrypoint", "run", "--user=gitlab-runner"]


def listed(name: str, folder: str = "/srv/x", **changes: Any) -> str:
    """A container, as the script tells of it."""
    one = {
        "name": f"/{name}",
        "created": "2026-01-01T00:00:00Z",
        "image": "gitlab/gitlab-runner:v19.3.0",
        "path": "/usr/bin/dumb-init",
        "args": RUN,
        "env": [],
        "running": True,
        "mounts": [{"Type": "bind", "Source": folder, "Destination": "/etc/gitlab-runner"}],
    }
    return f"container {json.dumps(one | changes)}\n"


@pytest.mark.parametrize(
    ("output", "container", "folder"),
    [
        (listed("ci"), "ci", "/srv/x"),
        (listed("web", image="nginx:1", mounts=[], args=[]) + listed("ci"), "ci", "/srv/x"),
        (listed("once", args=["/entrypoint", "register"], running=False) + listed("ci"), "ci", "/srv/x"),
        (listed("ci", running=False), "ci", "/srv/x"),
        (listed("ci", path="/bin/sh", args=["-c", "exec gitlab-runner run"]), "ci", "/srv/x"),
        (listed("own", image="acme/ci:3", path="/start.sh", args=None), "own", "/srv/x"),
        (listed("a", "/a") + listed("b", "/b") + "config 0 /a\nconfig 2 /b\n", "b", "/b"),
        (listed("a", "/a", running=False) + listed("b", "/b") + "config 3 /a\nconfig 1 /b\n", "b", "/b"),
        ("config 1 /etc/gitlab-runner\n", "", "/etc/gitlab-runner"),
    ],
)  # fmt: skip
def test_the_manager_is_found(output: str, container: str, folder: str) -> None:
    place = find(output)
    assert (place.container, place.config_dir) == (container, folder)


@pytest.mark.parametrize(
    ("output", "what"),
    [
        ("", "there is no gitlab-runner on it"),
        ("config 1 /etc/gitlab-runner\nprocess 71\n", "runs in no container (process 71)"),
        (listed("ci", args=[*RUN, "--config", "/c/x.toml"]), "reads /c/x.toml"),
        (listed("ci", env=["CONFIG_FILE=/c/y.toml"]), "reads /c/y.toml"),
        (listed("ci", mounts=[]), "in no folder of the host"),
        (listed("ci", mounts=[{"Destination": "/etc/gitlab-runner/config.toml", "Source": "/x"}]), "a mount of its own"),
        ("container {not JSON\n", "cannot be read"),
    ],
)  # fmt: skip
def test_a_host_that_no_settings_can_say_tells_what_to_do(output: str, what: str) -> None:
    with pytest.raises(KitError) as caught:
        find(output)
    assert what in caught.value.what
    assert caught.value.fix


def test_what_runs_beside_the_manager_is_listed() -> None:
    gaps = find(listed("a") + listed("b", "/b") + "process 9\n").gaps
    assert ["another manager" in gaps[0].what, "in no container (process 9)" in gaps[1].what] == [
        True
    ] * 2


def test_a_manager_of_another_place_is_left_to_a_file_of_its_own() -> None:
    one, two, other = (site(name=name) for name in ("ci1", "ci2", "ci3"))
    place = ManagerPlace("/opt/ci", "mine", build.MANAGER)
    found = propose([one, two, replace(other, place=place)])
    assert [*found.data["hosts"]] == ["ci1", "ci2"]
    assert "--host ci3" in found.without["ci3"].fix


def test_a_manager_of_another_image_is_listed() -> None:
    newer = build.MANAGER.replace("19.3", "19.4")
    one, two, other = (site(name=name) for name in ("ci1", "ci2", "ci3"))
    found = propose([one, two, replace(other, place=replace(other.place, image=newer))])
    assert found.data["manager"]["image"] == build.MANAGER
    assert any(newer in gap.what for gap in found.gaps)


@pytest.mark.parametrize(
    ("name", "hostname", "expected"),
    [
        ("root@ci1.example.com:22", "other", "ci1"),
        ("ci1:2222", "other", "ci1"),
        ("root@10.0.0.1", "box.lan", "box"),
        ("[fe80::1]", "box", "box"),
        ("local", "box", "local"),
        ("10.0.0.1", "all", "host"),
    ],
)
def test_hosts_have_names(name: str, hostname: str, expected: str) -> None:
    one = replace(site(name=hostname), name=name, address=name)
    assert [*propose([one]).data["hosts"]] == [expected]


def test_a_shared_runner_is_told_by_its_level() -> None:
    wanted = want(runners={"web": {"hardening": "shared", "docker": {"user": "1000"}}})
    have = made(wanted)
    rule = {
        path: File(content.text.encode(), content.mode, 1)
        for path, content in metadata_rule._files().items()
    }
    closed = replace(
        have,
        files={**have.files, **rule},
        rules={metadata_rule.CHAIN: "-A DOCKER-USER -d 169.254.169.254/32 -j REJECT"},
        units={metadata_rule.NAME: "active"},
    )
    data, _ = data_of(site(have=closed))
    (runner,) = data["runners"].values()
    assert (runner["hardening"], runner["docker"]) == ("shared", {"user": "1000"})
    assert {*runner} == {"token", "image", "hardening", "docker"}
    assert "docker" not in data
    data, _ = data_of(site(have=have))
    assert data["docker"] == {"metadata": "open"}


def test_the_schedule_of_making_room_is_read_back() -> None:
    prune = {"schedule": "daily", "keep": 4, "images": ["web-ci", "tools/*"]}
    wanted = want(
        prune=prune, docker={"registry_image": "registry:2"}, manager={"helper_image": "h:1"}
    )
    have = converged()
    files = {
        path: File(one.text.encode(), one.mode, 1)
        for path, one in prune_timer._files(wanted, have).items()
    }
    files[prune_timer.ENABLED] = files[prune_timer.TIMER]
    units = {"runnerkit-prune.timer": "active", "runnerkit-prune.service": "inactive"}
    data, _ = data_of(site(have=replace(have, files={**have.files, **files}, units=units)))
    assert data["prune"] == prune
    assert data["docker"] == {"registry_image": "registry:2"}
    assert data["manager"]["helper_image"] == "h:1"


def test_what_gitlab_keeps_is_told_where_it_was_asked() -> None:
    server = ServerRunner(7, tags=frozenset({"b", "a"}), run_untagged=False, maximum_timeout=3600)
    data, _ = data_of(replace(site(), server={0: server}), url=build.URL, api=True)
    assert data["gitlab"]["api_token"] == {"env": "GITLAB_TOKEN"}
    runner = data["runners"]["web"]
    assert (runner["tags"], runner["run_untagged"], runner["maximum_timeout"]) == (
        ["a", "b"],
        False,
        3600,
    )


def test_another_description_at_gitlab_is_told_as_a_change() -> None:
    text = GOOD.replace("ci1-web", "by hand")
    one = replace(site(text), server={0: ServerRunner(7, description="made in the browser")})
    assert titles(propose([one], build.URL, True), one) == [
        "set description of runner #7 at GitLab"
    ]


def test_the_gitlab_that_is_named_is_the_one() -> None:
    text = (
        GOOD + entry("a", "t0ken", url="https://g.com") + entry("b", "t1ken", url="https://g.com")
    )
    data, _ = data_of(site(text))
    assert data["gitlab"]["url"] == "https://g.com"
    data, found = data_of(site(text), url=build.URL)
    assert [*data["runners"]] == ["web"]
    assert len(found.gaps) == 2


def test_what_stands_around_a_manager_is_listed() -> None:
    login = {
        "auths": {"https://registry.example.com": {"auth": "c2VudGluZWw="}, "other.example.com": {}}
    }
    host = {
        "PortBindings": {"9252/tcp": [{"HostIp": "127.0.0.1", "HostPort": "9999"}]},
        "ExtraHosts": ["a:1.2.3.4"],
    }
    image = "registry.example.com/a:1"
    have = converged(
        GOOD.replace("debian:bookworm", image).replace(
            "concurrent", 'listen_address = ":9252"\nconcurrent'
        )
    )
    compose = {"com.docker.compose.project": "ci"}
    built = {"Id": "sha256:b", "Config": {"Labels": {"runnerkit.image": "gone"}}}
    have = replace(
        have,
        containers={"gitlab-runner": build.container(HostConfig=host, Config={"Labels": compose})},
        images={**have.images, image: {"Id": "sha256:a"}, "gone:latest": built},
        files={
            **have.files,
            "/root/.docker/config.json": File(json.dumps(login).encode(), 0o600, 1),
        },
        paths=frozenset({f"{FOLDER}/certs/gitlab.example.com.crt"}),
    )
    data, found = data_of(site(have=have))
    assert "docker" not in data  # a host's word gives it no login of this machine's
    assert data["manager"]["metrics"] == "127.0.0.1:9999"
    assert "settings" not in data["manager"]
    told = [gap.what for gap in found.gaps]
    words = (
        "compose's project ci",
        "--add-host=a:1.2.3.4",
        "gitlab.example.com.crt",
        "at registry.example.com,",
        "gone",
    )
    for word, gap in zip(words, told, strict=True):
        assert word in gap


def test_files_that_no_container_has_get_one() -> None:
    one = site(containers={})
    found = propose([replace(one, place=ManagerPlace(FOLDER))])
    assert titles(found, one) == ["run the container gitlab-runner"]


def test_an_autoscaler_is_read_back() -> None:
    text = """
  executor = "docker-autoscaler"
  [runners.docker]
    image = "debian:bookworm"
    pull_policy = ["never"]
  [runners.autoscaler]
    plugin = "fleeting-plugin-static"
    max_instances = 2
    [runners.autoscaler.connector_config]
      username = "runner"
      password = "sentinel"
    [[runners.autoscaler.policy]]
      idle_count = 1
      idle_time = "20m0s"
"""
    data, found = data_of(
        site(DEFAULTS.replace("concurrent = 1", "concurrent = 2") + entry("vm", TOKEN, text))
    )
    runner = data["runners"]["vm"]
    assert (runner["executor"], runner["pull_policy"]) == ("docker-autoscaler", ["never"])
    connector = runner["autoscaler"]["connector_config"]
    assert connector["username"] == "runner"
    assert found.references.secrets[connector["password"]["env"]].reveal() == "sentinel"
    data, found = data_of(site(DEFAULTS + entry("vm", TOKEN, text) + entry("web", "t0ken")))
    assert [*data["runners"]] == ["web"]  # its machines need more jobs at once than the host takes
    assert any("manager.concurrent: 1 jobs at once" in gap.what for gap in found.gaps)


def test_a_host_of_which_nothing_can_be_said_tells_why() -> None:
    found = propose([site(DEFAULTS + entry("old", "t0ken", '\n  executor = "shell"\n'))])
    assert found.names == {}
    assert "'old' has the executor shell" in found.without["ci1"].what


def test_variables_are_those_that_the_file_names() -> None:
    text = (
        DEFAULTS
        + entry("web", TOKEN)
        + entry("bare", "t0ken").replace('image = "debian:bookworm"', "")
    )
    data, found = data_of(site(text))
    assert [*data["runners"]] == ["web"]
    assert [*found.references.used(data)] == ["RUNNER_TOKEN_WEB"]
