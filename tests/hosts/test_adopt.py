"""Hosts that somebody set up already get the settings that leave them as they are."""

import shlex
import tomllib
from typing import Any

import pytest

from sandbox.world import BlankHost
from tests.hosts.conftest import Blank
from tests.hosts.kit import RESTART, Kit, Ran
from tests.hosts.test_pages import prepared
from tests.pages import commands

HERE = "tests/hosts/test_adopt.py"
READ_BACK = "test_a_host_of_the_kit_is_read_back"
SECRET = "sentinel-of-s3"
DAEMON = {"log-opts": {"max-size": "10m"}, "max-concurrent-downloads": 5}
RICH: dict[str, Any] = {
    "docker": {"memory": "1g", "volumes": ["/cache", "/opt:/opt:ro"], "extra_hosts": ["git.lan:10.0.0.5"]},
    "settings": {
        "limit": 2,
        "environment": {"COLOUR": "no", "DEPLOY_TOKEN": {"env": "DEPLOY"}},
        "cache": {"Type": "s3", "s3": {"BucketName": "ci", "SecretKey": {"env": "S3"}}},
    },
}  # fmt: skip


def reachable(kit: Kit, *hosts: BlankHost) -> None:
    """A home whose ssh knows these hosts by their names, and a folder without settings."""
    ssh = kit.folder / "home/.ssh"
    ssh.mkdir(parents=True)
    lines = [
        f"Host {one.name}\n  HostName {one.address}\n  User root\n  IdentityFile {one.key}\n"
        for one in hosts
    ]
    (ssh / "config").write_text("".join(lines))
    (ssh / "known_hosts").write_text((kit.world.state / "known_hosts").read_text())
    kit.env |= {
        "HOME": str(kit.folder / "home"),
        "RUNNERKIT_SETTINGS": str(kit.folder / "new.toml"),
    }


def file_of(kit: Kit, ran: Ran, *secrets: str) -> dict[str, Any]:
    """The file that was written, which has no secret in it."""
    assert (kit.folder / "new.toml").exists(), ran.out + ran.err
    text = (kit.folder / "new.toml").read_text()
    for secret in secrets:
        assert secret not in text + ran.out + ran.err
    return tomllib.loads(text)


@pytest.mark.long
def test_a_host_of_the_kit_is_read_back(kit: Kit, blank: Blank) -> None:
    init, plan = (shlex.split(line, comments=True)[1:] for line in commands(f"{HERE}::{READ_BACK}"))
    host = blank("docker", "old1")
    kit.settings(
        host,
        docker={"daemon": DAEMON},
        manager={"settings": {"check_interval": 4}, "environment": {"HTTP_PROXY_OF": "none"}},
        runners={"web": RICH},
    )
    kit.env |= {"DEPLOY": "sentinel-of-deploy", "S3": SECRET}
    token = kit.new_token("readback")
    kit.bootstrap()
    reachable(kit, host)
    ran = kit.run(*init)
    file_of(kit, ran, token, SECRET, "sentinel-of-deploy")
    assert ran.code == 0
    kit.env |= {
        "RUNNERKIT_RUNNER_WEB_SECRETKEY": SECRET,
        "RUNNERKIT_RUNNER_WEB_DEPLOY_TOKEN": "sentinel-of-deploy",
    }
    for name in (token, ""):
        assert kit.run(*plan).code == 0
        kit.env["RUNNER_TOKEN"] = name
    again = kit.run(*init)
    assert "is there already" in again.err
    assert again.code == 1


HAND = """set -e
mkdir -p /opt/ci
docker run -d --name ci-one --restart always -e OWN=kept --add-host git.lan:10.0.0.5 -v /opt/ci:/etc/gitlab-runner \
    -v /var/run/docker.sock:/var/run/docker.sock {image}
docker run -d --name ci-two --restart always -v /opt/two:/etc/gitlab-runner \
    -v /var/run/docker.sock:/var/run/docker.sock {image}
docker run --name once -v /opt/ci:/etc/gitlab-runner {image} --version
docker exec ci-one gitlab-runner register --non-interactive --url {url}/ --token {token} \
    --name "Built by hand" --executor docker --docker-image debian:bookworm \
    --docker-pull-policy always --docker-pull-policy if-not-present \
    --docker-volumes /opt:/opt:ro --env A=b --env CI_PASSWORD={secret} --limit 3
docker exec ci-one gitlab-runner register --non-interactive --url {url} --token {other} \
    --name usual --executor docker --docker-image debian:bookworm
cat >>/opt/ci/config.toml <<'END'

[[runners]]
  name = "old"
  url = "{url}"
  token = "{secret}"
  executor = "shell"
END
sed -i 's/^concurrent = .*/concurrent = 3/' /opt/ci/config.toml
"""


def test_a_host_set_up_by_hand_and_one_that_does_not_answer(kit: Kit, blank: Blank) -> None:
    host = blank("docker", "byhand")
    lost = BlankHost("lost", kit.world.net.address(251), "docker", host.key)
    reachable(kit, host, lost)
    prepared(kit, host, **{"log-opts": {"max-size": "9m"}})
    kit.ssh(host, f"{RESTART}; docker pull -q debian:bookworm")
    tokens = [kit.new_token("by hand"), kit.new_token("usual")]
    words = {"image": kit.world.runner_image, "url": kit.world.gitlab_url, "secret": SECRET}
    kit.ssh(host, HAND.format(**words, token=tokens[0], other=tokens[1]))
    before = kit.ssh(host, "cat /opt/ci/config.toml")
    ran = kit.run("init", "--host", "byhand,lost", "--json")
    data = file_of(kit, ran, *tokens, SECRET)
    assert ran.code == 1
    assert "no way to the host" in ran.hosts["lost"]["error"]
    assert data["manager"] == {
        "image": kit.world.runner_image,
        "container": "ci-one",
        "config_dir": "/opt/ci",
        "concurrent": 3,
        "environment": {"OWN": "kept"},
    }
    assert data["docker"]["daemon"] == {"log-opts": {"max-size": "9m"}}
    assert data["hosts"] == {"byhand": {"address": "byhand"}}
    assert data["runners"] == {
        "Built-by-hand": {
            "name": "Built by hand",
            "token": {"env": "RUNNER_TOKEN_BUILT_BY_HAND"},
            "image": "debian:bookworm",
            "pull_policy": ["always", "if-not-present"],
            "docker": {"volumes": ["/opt:/opt:ro", "/cache"]},
            "settings": {
                "limit": 3,
                "environment": {
                    "A": "b",
                    "CI_PASSWORD": {"env": "RUNNERKIT_RUNNER_BUILT_BY_HAND_CI_PASSWORD"},
                },
            },
        },
        "usual": {
            "name": "usual",
            "token": {"env": "RUNNER_TOKEN_USUAL"},
            "image": "debian:bookworm",
            "pull_policy": ["always"],
        },
    }
    gaps = [one["what"] for one in ran.hosts["byhand"]["gaps"]]
    assert len(gaps) == 3
    assert "ci-two is another manager" in gaps[0]
    assert "'old' has the executor shell" in gaps[1]
    assert "--add-host=git.lan:10.0.0.5" in gaps[2]
    kit.env["RUNNERKIT_RUNNER_BUILT_BY_HAND_CI_PASSWORD"] = SECRET
    plan = kit.plan()
    assert (plan.code, plan.titles, ran.hosts["byhand"]["changes"]) == (0, [], [])
    assert kit.ssh(host, "cat /opt/ci/config.toml") == before


WRONG = {
    "there is no gitlab-runner on it": "true",
    "config.toml on the host is not TOML": "mkdir -p /etc/gitlab-runner; echo '[[' >/etc/gitlab-runner/config.toml",
    "has no runner of a GitLab": "echo 'concurrent = 3' >/etc/gitlab-runner/config.toml",
    "runs in no container": "cp /bin/sleep /usr/local/bin/gitlab-runner; setsid gitlab-runner 600 >/dev/null 2>&1 </dev/null &",
    "reads /tmp/c.toml": "kill $(pidof gitlab-runner); docker run -d --name gr -v /opt/ci:/etc/gitlab-runner {image} run -c /tmp/c.toml",
    "daemon.json on the host is not JSON": """docker rm -f gr
        docker run -d --name gr --restart always -v /opt/ci:/etc/gitlab-runner {image}
        docker exec gr gitlab-runner register --non-interactive --url {url} --token {token} \\
            --name usual --executor docker --docker-image debian:bookworm
        echo '[' >/etc/docker/daemon.json""",
    "its Docker does not run": "rm /etc/docker/daemon.json; systemctl stop docker.socket docker",
}  # fmt: skip


@pytest.mark.long
def test_what_is_no_runner_host_is_told_in_words(kit: Kit, blank: Blank) -> None:
    host = blank("docker", "wrong")
    reachable(kit, host)
    kit.mirrored(host)
    words = {
        "image": kit.world.runner_image,
        "url": kit.world.gitlab_url,
        "token": kit.new_token("wrong"),
    }
    for what, script in WRONG.items():
        kit.ssh(host, script.format(**words))
        ran = kit.run("init", "--host", host.name)
        assert what in ran.err, what + ran.err + ran.out
        assert "fix: " in ran.err
        assert ran.code == 1
        assert not (kit.folder / "new.toml").exists()
    kit.ssh(host, "systemctl start docker")
    ran = kit.run("init", "--host", "wrong,nowhere.invalid", "--json")
    assert "mount /var/run/docker.sock" in str(ran.hosts["wrong"]["changes"])
    assert ran.hosts["nowhere.invalid"]["error"]
    assert "docker.sock" in (kit.folder / "new.toml").read_text()


@pytest.mark.long
def test_gitlab_is_asked_where_it_is_named(kit: Kit, blank: Blank) -> None:
    hosts = [blank("docker", name) for name in ("twin1", "twin2")]
    kit.settings(
        *hosts,
        gitlab={"api_token": {"env": "GITLAB_TOKEN"}},
        runners={"web": {"tags": ["a", "b"], "run_untagged": False, "hardening": "shared"}},
        prune={"schedule": "daily", "keep": 5},
    )
    kit.env["GITLAB_TOKEN"] = kit.world.api_token
    kit.bootstrap()
    reachable(kit, *hosts)
    ran = kit.run("init", "--host", "twin1,twin2", "--url", kit.world.gitlab_url)
    data = file_of(kit, ran, kit.world.api_token)
    assert ran.code == 0, ran.err
    assert data["prune"] == {"schedule": "daily", "keep": 5}
    (runner,) = data["runners"].values()
    assert "token" not in runner
    assert (runner["tags"], runner["run_untagged"]) == (["a", "b"], False)
    assert (runner["hardening"], runner["pull_policy"]) == ("shared", ["never"])
    left = "write /usr/local/lib/runnerkit/prune"  # it names the job image, whose definition is not here
    assert [one["changes"][0]["title"] for one in kit.plan().hosts.values()] == [left, left]
    assert f"# - twin2: {left}\n" in (kit.folder / "new.toml").read_text()
    (kit.folder / "new.toml").unlink()
    ran = kit.run("init", "--host", "twin1,twin2")
    assert "api_token" not in file_of(kit, ran)["gitlab"]
    assert "it was not asked" in ran.err
