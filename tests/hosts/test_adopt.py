"""Hosts that somebody set up already get the settings that leave them as they are."""

import tomllib
from typing import Any

from sandbox.world import BlankHost
from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit, Ran

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
    text = (kit.folder / "new.toml").read_text()
    for secret in secrets:
        assert secret not in text + ran.out + ran.err
    return tomllib.loads(text)


def test_a_host_of_the_kit_is_read_back(kit: Kit, blank: Blank) -> None:
    host = blank("docker", "readback")
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
    ran = kit.run("init", "--host", host.name)
    print(
        ran.out,
        ran.err,
        (kit.folder / "new.toml").read_text() if (kit.folder / "new.toml").exists() else "",
    )
    file_of(kit, ran, token, SECRET, "sentinel-of-deploy")
    assert ran.code == 0
    kit.env |= {"RUNNER_WEB_SECRETKEY": SECRET, "RUNNER_WEB_DEPLOY_TOKEN": "sentinel-of-deploy"}
    for name in (token, ""):
        plan = kit.run("plan", "--host", "all")
        print(plan.out, plan.err)
        assert plan.code == 0
        kit.env["RUNNER_TOKEN"] = name
    assert kit.run("init", "--host", host.name).code == 1
