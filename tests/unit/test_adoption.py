"""Facts in, a settings file out: and with that file a plan over the same facts is empty."""

import tomllib
from dataclasses import replace
from typing import Any

import pytest

from runnerkit import converge, resolve
from runnerkit.adoption import document
from runnerkit.adoption.discovery import ManagerPlace
from runnerkit.adoption.entry import Site
from runnerkit.adoption.hosts import propose
from runnerkit.adoption.proposal import Proposal
from runnerkit.settings.load import load
from runnerkit.settings.secrets import Source
from tests.unit.build import CONFIG, GOOD, MANAGER, TOKEN, URL, converged

FOLDER = CONFIG.rpartition("/")[0]
DEFAULTS = """concurrent = 1
check_interval = 0
shutdown_timeout = 0
connection_max_age = "15m0s"

[session_server]
  session_timeout = 1800
"""
# What register of 17.5.5 writes beside what it was told.
REGISTERED = """
  id = 1
  token_obtained_at = 2026-11-26T23:21:23Z
  token_expires_at = 0001-01-01T00:00:00Z
  executor = "docker"
  [runners.custom_build_dir]
  [runners.cache]
    MaxUploadedArchiveSize = 0
    [runners.cache.s3]
    [runners.cache.gcs]
    [runners.cache.azure]
  [runners.docker]
    tls_verify = false
    image = "debian:bookworm"
    privileged = false
    disable_entrypoint_overwrite = false
    oom_kill_disable = false
    disable_cache = false
    volumes = ["/cache"]
    shm_size = 0
    network_mtu = 0
"""


def site(config: str = GOOD, name: str = "ci1", **changes: Any) -> Site:
    have = changes.get("have") or converged(config, **{"hostname": name, **changes})
    return Site(name, f"root@{name}", ManagerPlace(FOLDER, "gitlab-runner", MANAGER), have)


def entry(name: str, token: str, text: str = REGISTERED, url: str = URL) -> str:
    return f'\n[[runners]]\n  name = "{name}"\n  url = "{url}"\n  token = "{token}"{text}'


def data_of(*sites: Site, **options: Any) -> tuple[dict[str, Any], Proposal]:
    """The file, which says what is proposed, holds no token, and leaves nothing to change."""
    found = propose(sites, **options)
    text = document.text(found.data, found.references, {document.UNSAID: found.gaps})
    assert tomllib.loads(text) == found.data
    long = (one.reveal() for one in found.references.secrets.values() if len(one.reveal()) > 7)
    assert not [secret for secret in long if secret in text]
    load(command_line=tomllib.loads(text))
    for one in sites:
        if one.name in found.names:
            assert titles(found, one) == []
    return found.data, found


def titles(found: Proposal, one: Site) -> list[str]:
    server = {found.keys[one.name, index]: known for index, known in one.server.items()}
    have = replace(one.have, server=server)
    return [change.title for change in converge.plan(found.want(one.name), have)]


def test_what_the_program_writes_by_itself_is_no_setting() -> None:
    data, found = data_of(site(DEFAULTS + entry("by hand", TOKEN)))
    assert data == {
        "gitlab": {"url": URL},
        "manager": {"image": MANAGER, "concurrent": 1},
        "runners": {
            "by-hand": {
                "name": "by hand",
                "token": {"env": "RUNNER_TOKEN"},
                "image": "debian:bookworm",
                "pull_policy": ["always"],
            }
        },
        "hosts": {"ci1": {"address": "root@ci1"}},
    }
    assert found.gaps == []


def test_one_token_on_two_hosts_is_one_runner_and_what_differs_stays() -> None:
    first = DEFAULTS + entry("web", TOKEN) + "    memory = '1g'\n    cpus = '2'\n"
    second = first.replace("concurrent = 1", "concurrent = 8").replace("'1g'", "'2g'")
    data, found = data_of(site(first), site(second, "ci2"))
    assert list(data["runners"]) == ["web"]
    assert data["runners"]["web"]["docker"] == {"cpus": "2"}
    assert "concurrent" not in data["manager"]
    assert {gap.what for gap in found.gaps} == {
        "manager.concurrent differs between the hosts",
        "runners.web.docker.memory differs between the hosts",
    }


def test_one_token_with_another_image_is_another_section() -> None:
    other = entry("web", TOKEN).replace("debian:bookworm", "debian:bookworm-slim")
    have = converged(DEFAULTS + other)
    images = {**have.images, "debian:bookworm-slim": {"Id": "sha256:slim"}}
    data, _ = data_of(
        site(DEFAULTS + entry("web", TOKEN)), site(DEFAULTS + other, "ci2", images=images)
    )
    assert list(data["runners"]) == ["web", "web-2"]
    assert data["hosts"]["ci2"]["runners"] == ["web-2"]


def test_hosts_that_registered_a_runner_each_have_one_section_without_a_token() -> None:
    sites = [
        site(DEFAULTS + entry(f"{name}-web", f"glrt-{name}0000"), name) for name in ("ci1", "ci2")
    ]
    data, _ = data_of(*sites)
    assert data["runners"] == {"web": {"image": "debian:bookworm", "pull_policy": ["always"]}}


def test_a_name_with_two_tokens_is_two_runners() -> None:
    data, _ = data_of(site(DEFAULTS + entry("web", TOKEN) + entry("web", "glrt-other00")))
    assert [one["token"]["env"] for one in data["runners"].values()] == [
        "RUNNER_TOKEN_WEB",
        "RUNNER_TOKEN_WEB_2",
    ]


def test_what_no_settings_can_say_is_left_and_listed() -> None:
    text = DEFAULTS + entry("web", TOKEN) + '    user = "a"\n    shmsize = 3\n'
    text += entry("twice", TOKEN) + entry("shell", "t0ken", '\n  executor = "shell"\n')
    text += entry("other", "t1ken", url="https://gitlab.com")
    data, found = data_of(site(text))
    assert list(data["runners"]) == ["web"]
    assert data["runners"]["web"]["docker"] == {"user": "a"}
    told = "\n".join(gap.what for gap in found.gaps)
    for word in (
        "'twice' has the token",
        "executor shell",
        "https://gitlab.com",
        "shmsize: unknown key",
    ):
        assert word in told


SECRETS = """
  environment = ["A=b", "DEPLOY_TOKEN=sentinel-1", "SAME=$CI_TOKEN"]
  [runners.cache]
    Type = "s3"
    [runners.cache.s3]
      AccessKey = "sentinel-2"
      SecretKey = "sentinel-3"
"""


def test_secrets_are_named_and_never_written() -> None:
    text = f'\n  executor = "docker"{SECRETS}  [runners.docker]\n    image = "debian:bookworm"\n'
    daemon = {"log-driver": "splunk", "log-opts": {"splunk-token": "sentinel-4", "max-size": "1m"}}
    daemon["proxies"] = {"http-proxy": "http://user:sentinel-5@proxy:1"}
    data, found = data_of(site(DEFAULTS + entry("web", TOKEN, text), daemon=daemon, started=1000))
    assert data["runners"]["web"]["settings"] == {
        "environment": {
            "A": "b",
            "DEPLOY_TOKEN": {"env": "RUNNERKIT_RUNNER_WEB_DEPLOY_TOKEN"},
            "SAME": "$CI_TOKEN",
        },
        "cache": {
            "Type": "s3",
            "s3": {
                "AccessKey": {"env": "RUNNERKIT_RUNNER_WEB_ACCESSKEY"},
                "SecretKey": {"env": "RUNNERKIT_RUNNER_WEB_SECRETKEY"},
            },
        },
    }
    assert data["docker"]["daemon"]["log-opts"]["splunk-token"] == {
        "env": "RUNNERKIT_DOCKER_SPLUNK_TOKEN"
    }
    assert "proxies" not in data["docker"]["daemon"] or not data["docker"]["daemon"]["proxies"]
    assert "sentinel" not in document.text(
        found.data, found.references, {document.UNSAID: found.gaps}
    )
    assert any("proxies.http-proxy" in gap.what for gap in found.gaps)


@pytest.mark.parametrize(
    "line",
    [
        'SecretKey = { command = ["touch", "/tmp/run-by-a-host"] }',
        'SecretKey = { env = "GITLAB_TOKEN" }',
        'SecretKey = { file = "~/.ssh/id_rsa" }',
        'AccessKey = [{ env = "GITLAB_TOKEN" }]',
        'AccessKey = { env = "GITLAB_TOKEN", more = "glrt-sentinel00" }',
        'Odd = { env = "GITLAB_TOKEN" }',
        'credentials = { any = { env = "GITLAB_TOKEN" } }',
    ],
)
def test_a_host_cannot_name_a_secret_of_this_machine(
    line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITLAB_TOKEN", "sentinel")
    monkeypatch.setattr(Source, "read", lambda self: pytest.fail(f"{self} was read"))
    text = f'\n  executor = "docker"\n  [runners.cache.s3]\n    {line}\n  [runners.docker]\n    image = "debian:bookworm"\n'
    data, _ = data_of(site(DEFAULTS + entry("web", TOKEN, text)))
    del data["runners"]["web"]["token"]
    resolve.of_host(load(command_line=data), "ci1")
