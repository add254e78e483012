"""Settings and facts in, changes out: what each step makes of a host."""

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runnerkit import converge
from runnerkit.errors import KitError
from runnerkit.facts import Facts, File
from runnerkit.plan import Script
from runnerkit.steps import config_toml as config_step
from runnerkit.want import Want
from tests.unit import build
from tests.unit.build import CONFIG, DAEMON, GOOD, MANAGER, blank, container, converged, want


def titles(wanted: Want, have: Facts) -> list[str]:
    return [change.title for change in converge.plan(wanted, have)]


def test_a_blank_host_gets_the_whole_recipe_in_order() -> None:
    wanted = want(docker={"registry_mirrors": ["http://m:5000"]}, manager={"concurrent": "auto"})
    assert titles(wanted, blank()) == [
        "write /etc/docker/daemon.json",
        "install Docker (distro, Debian GNU/Linux 12 (bookworm))",
        f"pull {MANAGER}",
        f"put the helper image in place as {build.HELPER}",
        "pull debian:bookworm",
        "write /srv/gitlab-runner/config/config.toml",
        "register runner ci1-web",
        "run the container gitlab-runner",
    ]


def test_a_converged_host_needs_nothing() -> None:
    assert titles(want(), converged()) == []


@pytest.mark.parametrize(
    ("data", "changes", "expected"),
    [
        ({"manager": {"concurrent": 3}}, {}, [f"write {CONFIG}"]),
        ({"manager": {"concurrent": "auto"}}, {"cpus": 1}, []),
        ({"runners": {"web": {"settings": {"limit": 2}}}}, {}, [f"write {CONFIG}"]),
        ({"runners": {"web": {"docker": {"volumes": ["/cache"]}}}}, {}, []),
        ({"docker": {"daemon": {"log-driver": "json-file"}}}, {}, ["write " + DAEMON, "restart docker"]),
        ({"docker": {"registry_mirrors": ["http://m"]}}, {}, ["write " + DAEMON, "reload docker"]),
        ({}, {"containers": {}}, ["run the container gitlab-runner"]),
        ({}, {"containers": {"gitlab-runner": container(State={"Running": False})}}, ["start the container gitlab-runner"]),
        ({}, {"containers": {"gitlab-runner": container(Image="sha256:other")}},
         [f"replace the container gitlab-runner (image {MANAGER} → {MANAGER})"]),
        ({}, {"containers": {"gitlab-runner": container(HostConfig={"RestartPolicy": {"Name": "no"}})}},
         ["replace the container gitlab-runner (restart policy no → always)"]),
        ({"manager": {"environment": {"A": "b"}}}, {}, ["replace the container gitlab-runner (environment A)"]),
        ({}, {"info": {}}, ["start docker"]),
        ({}, {"files": {}}, [f"write {CONFIG}", "register runner ci1-web"]),
    ],
)  # fmt: skip
def test_each_drift_yields_exactly_its_own_change(
    data: dict[str, Any], changes: dict[str, Any], expected: list[str]
) -> None:
    assert titles(want(**data), converged(**changes)) == expected


@pytest.mark.parametrize("key", ["listen_address", "session_server"])
def test_what_the_manager_reads_only_at_start_stops_it_before_the_write(key: str) -> None:
    value: Any = ":9252" if key == "listen_address" else {"session_timeout": 60}
    write = converge.plan(want(manager={"settings": {key: value}}), converged())[0]
    assert isinstance(write, Script)
    stop, _, rest = write.text.partition("docker stop -t 3600 gitlab-runner >/dev/null")
    assert ("mv " in stop, "mv " in rest) == (False, True)


@pytest.mark.parametrize(
    ("stop", "ends", "calls"),
    [
        ("exit 1", "", ["stop"]),
        ('echo "# new" >>"$CONFIG"', "changed meanwhile", ["stop", "start"]),
    ],
)
def test_a_write_that_fails_leaves_the_manager_and_its_file_as_they_were(
    tmp_path: Path, stop: str, ends: str, calls: list[str]
) -> None:
    (config := tmp_path / "config.toml").write_text(GOOD)
    wanted = want(manager={"config_dir": str(tmp_path), "settings": {"listen_address": ":9252"}})
    have = converged()
    have = replace(have, files={**have.files, str(config): File(GOOD.encode(), 0o600, 500)})
    (write,) = config_step.changes(wanted, have)
    assert isinstance(write, Script)
    docker = tmp_path / "docker"
    docker.write_text(
        f'#!/bin/sh\necho "$1" >>{tmp_path}/asked\n[ "$1" != stop ] || {{ {stop}; }}\n'
    )
    docker.chmod(0o755)
    ran = subprocess.run(
        ["sh"], input=write.text, text=True, capture_output=True, check=False,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "CONFIG": str(config)},
    )  # fmt: skip
    assert ran.returncode == 1
    assert ends in ran.stderr
    assert "9252" not in config.read_text()
    assert [
        one for one in (tmp_path / "asked").read_text().split() if one not in ("run", "image")
    ] == calls
    assert not list(tmp_path.glob("config.toml.??????"))


def test_a_full_disk_is_told_before_images_are_fetched() -> None:
    with pytest.raises(KitError, match="disk is too full"):
        titles(want(), blank(free_kb=1000))
    assert titles(want(), converged(free_kb=1000)) == []


@pytest.mark.parametrize(
    ("os", "source", "fix"),
    [
        ({"ID": "rocky", "VERSION_ID": "9.5"}, "distro", '"docker-ce"'),
        ({"ID": "gentoo", "PRETTY_NAME": "Gentoo"}, "distro", "static binaries"),
        ({"ID": "gentoo", "PRETTY_NAME": "Gentoo"}, "script", "static binaries"),
        ({"ID": "gentoo", "PRETTY_NAME": "Gentoo"}, "present", "static binaries"),
        ({"ID": "alpine", "PRETTY_NAME": "Alpine"}, "docker-ce", '"distro"'),
        ({"ID": "debian", "PRETTY_NAME": "Debian"}, "present", '"distro"'),
        ({}, "distro", "put /etc/os-release back"),
    ],
)
def test_an_unsupported_distribution_is_named_with_what_works_there(
    os: dict[str, str], source: str, fix: str
) -> None:
    with pytest.raises(KitError) as caught:
        titles(want(docker={"source": source}), blank(os=os))
    assert fix in caught.value.fix


def test_debian_13_also_gets_the_client_which_is_a_package_of_its_own_there() -> None:
    (install, *_) = converge.plan(want(), blank(os={"ID": "debian", "VERSION_ID": "13"}))
    assert isinstance(install, Script)
    assert "docker.io docker-cli" in install.text


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        (CONFIG, "a = = b", "is not TOML"),
        (DAEMON, "{a", "is not JSON"),
        (DAEMON, "[]", "JSON object"),
    ],
)
def test_a_file_that_cannot_be_read_stops_the_run(path: str, text: str, message: str) -> None:
    wanted = want(docker={"registry_mirrors": ["http://m"]})
    have = converged()
    with pytest.raises(KitError, match=message):
        titles(wanted, converged(files={**have.files, path: File(text.encode(), 0o600, 1)}))


def test_a_manager_that_takes_another_s_place_has_what_that_one_had_besides() -> None:
    one = "a" * 64
    mounts: list[dict[str, Any]] = [
        *container()["Mounts"],
        {"Source": "/opt/ca", "Destination": "/etc/ssl/own", "RW": False},
        {"Source": "/z", "Destination": "/z", "Mode": "ro,Z", "RW": False, "Propagation": "rslave"},
        {"Name": "cache", "Source": "/var/lib/docker/volumes/cache/_data", "Destination": "/c"},
        {"Name": one, "Source": f"/var/lib/docker/volumes/{one}/_data", "Destination": "/home/gitlab-runner"},
    ]  # fmt: skip
    output = container(
        HostConfig={
            "RestartPolicy": {"Name": "no"}, "NetworkMode": "host", "ExtraHosts": ["git.lan:10.0.0.5"],
            "Dns": ["10.0.0.1"], "PortBindings": {
                "9252/tcp": [{"HostIp": "", "HostPort": "9252"}, {"HostIp": "::1", "HostPort": "9253"}]
            },
            "SecurityOpt": ["label=disable", "seccomp={}"], "CapAdd": ["NET_ADMIN"], "Tmpfs": {"/t": "size=1m"},
        },
        Config={"Env": ["PATH=/bin", "OF_IMAGE=1", "OWN=x y", "KEY=a\nb", "HTTPS_PROXY=old"]},
    )  # fmt: skip
    output["Mounts"] = mounts
    have = converged()
    of_image = {**have.images[MANAGER], "Config": {"Env": ["OF_IMAGE=1"]}}
    have = replace(
        have, containers={"gitlab-runner": output}, images={**have.images, MANAGER: of_image}
    )
    wanted = want(manager={"environment": {"HTTPS_PROXY": "new"}})
    (change,) = converge.plan(wanted, have)
    assert isinstance(change, Script)
    run = change.text.partition("docker create")[2].partition("}\n")[0]
    assert change.text.index("docker create") < change.text.index("docker rm -f -v gitlab-runner >")
    for option in ("--volume=/opt/ca:/etc/ssl/own:ro", "--volume=cache:/c ", "--network=host",
                   "--add-host=git.lan:10.0.0.5", "--dns=10.0.0.1", "--publish=9252:9252/tcp",
                   "--volume=/z:/z:ro,Z,rslave", "'--publish=[::1]:9253:9252/tcp'", "--cap-add=NET_ADMIN",
                   "--security-opt=label=disable", "--tmpfs=/t:size=1m", "-e KEY"):  # fmt: skip
        assert option in run
    assert "export KEY='a\nb'\n" in change.text
    assert run.partition("<<'ENVIRONMENT'\n")[2] == "HTTPS_PROXY=new\nOWN=x y\nENVIRONMENT\n"
    assert one not in run


@pytest.mark.parametrize("mode", ["", "Z", "ro,z"])
def test_the_recipe_s_mounts_keep_their_options(mode: str) -> None:
    now = container(HostConfig={"RestartPolicy": {"Name": "no"}})
    now["Mounts"][0] |= {"Mode": mode, "RW": "ro" not in mode, "Propagation": "rprivate"}
    (change,) = converge.plan(want(), converged(containers={"gitlab-runner": now}))
    assert isinstance(change, Script)
    end = f":{mode}" if mode else ""
    assert f"-v /srv/gitlab-runner/config:/etc/gitlab-runner{end} " in change.text


def test_a_change_says_as_data_what_it_must_reach() -> None:
    mirror, packages = "https://mirror.example.com", "https://packages.example.com/docker-ce"
    docker = {"registry_mirrors": [mirror], "source": "docker-ce", "package_mirror": packages}
    reached: dict[str, set[str]] = {}
    for change in converge.plan(want(docker=docker), blank()):
        verb = change.title.partition(" ")[0]
        reached.setdefault(verb, set()).update(end.url for end in change.reaches)
    assert reached["write"] == reached["pull"] == {mirror}
    assert reached["install"] == {packages}
    assert reached["register"] == {build.URL}
    assert reached["run"] == set()


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_behind_a_proxy_the_host_itself_need_not_reach_gitlab(name: str) -> None:
    changes = converge.plan(want(manager={"environment": {name: "http://p:3128"}}), blank())
    assert not [end for change in changes for end in change.reaches if end.name == "GitLab"]


@pytest.mark.parametrize("dockerd", [True, False])
def test_packages_that_were_cut_off_are_completed_before_anything_else(dockerd: bool) -> None:
    have = blank(dockerd=dockerd, unpacked=True)
    changes = [title.partition(" (")[0] for title in titles(want(), have)]
    then = "start docker" if dockerd else "install Docker"
    assert changes[:2] == ["complete the packages that were cut off", then]
