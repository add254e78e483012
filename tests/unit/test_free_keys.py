"""Tables whose keys go through as they are: what is read of them has its type, and no secret is in clear."""

import tomllib
from typing import Any

import pytest

from runnerkit.errors import Mistakes
from runnerkit.settings import free_keys
from runnerkit.settings.load import load
from runnerkit.settings.model import Settings
from runnerkit.settings.secrets import Secret

SECRET = "a secret is never written here"


def settings(text: str) -> Settings:
    base = '[gitlab]\nurl = "http://g"\n[runners.web]\nimage = "debian:12"\n'
    return load(command_line=tomllib.loads(base + text))


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("docker.helper_image = 5", "docker.helper_image: 5 is not a text"),
        ("docker.helper_image = ['a']", "docker.helper_image: ['a'] is not a text"),
        ("docker.image = { a = 1 }", "docker.image: a table is not a text"),
        ("docker.volumes = 'x'", "docker.volumes: 'x' is not a list"),
        ("docker.volumes = ['/cache', 5]", "docker.volumes[1]: 5 is not a text"),
        ("docker.security_opt = true", "docker.security_opt: true is not a list"),
        ("docker.network_mode = ['host']", "docker.network_mode: ['host'] is not a text"),
        ("docker.pull_policy = 5", "docker.pull_policy: 5 is not a text, or a list"),
        ("docker.privileged = 'no'", "docker.privileged: 'no' is not true or false"),
        ("settings.feature_flags = 'x'", "settings.feature_flags: 'x' is not a table"),
        ("settings.environment = 'A=b'", "settings.environment: not a list of variables"),
        ("settings.environment = [5]", "settings.environment: not a list of variables"),
        ("settings.environment.A = ['b']", "settings.environment.A: a variable is a text"),
        ("settings.environment.A.env = 'B'", "settings.environment.A: a variable is a text"),
        ("settings.environment.A_TOKEN.value = 'x'", f"settings.environment.A_TOKEN: {SECRET}"),
        ("settings.cache.s3.SecretKey.value = 'x'", f"settings.cache.s3.SecretKey: {SECRET}"),
        ("settings.cache.s3.SecretKey.type = 'x'", f"settings.cache.s3.SecretKey: {SECRET}"),
        ("settings.cache.s3.SecretKey = ['x']", f"settings.cache.s3.SecretKey: {SECRET}"),
        ("settings.custom.token.value = 'x'", f"settings.custom.token.value: {SECRET}"),
        ("settings.custom.secrets.mine = 'x'", f"settings.custom.secrets.mine: {SECRET}"),
        ("settings.custom.auth.a.b = ['x']", f"settings.custom.auth.a.b: {SECRET}"),
    ],
)
def test_what_the_kit_reads_has_its_type_and_no_secret_is_in_clear(line: str, mistake: str) -> None:
    with pytest.raises(Mistakes) as caught:
        settings(line)
    (only,) = caught.value.mistakes
    assert only.startswith(f"runners.web.{mistake}")


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("manager.stop_timeout = 99999999999999999999", "manager.stop_timeout: 99999999999999999999"),
        ("manager.stop_timeout = '999999 weeks'", "manager.stop_timeout: 604799395200 is too large"),
        ("manager.concurrent = 2147483648", "manager.concurrent: 2147483648 is too large a number"),
        ("manager.settings.concurrent = 'lots'", "manager.settings.concurrent: 'lots' is not a whole"),
        ("docker.daemon.log-opts.splunk-token.value = 'x'", f"docker.daemon.log-opts.splunk-token.value: {SECRET}"),
    ],
)  # fmt: skip
def test_so_of_the_manager_and_the_daemon(line: str, mistake: str) -> None:
    with pytest.raises(Mistakes) as caught:
        load(command_line=tomllib.loads(line))
    (only,) = caught.value.mistakes
    assert only.startswith(mistake)


def test_the_rest_goes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PW", "sentinel")
    spec = settings(
        "docker.pull_policy = 'never'\ndocker.gpus = 5\n"
        "settings.custom.auth = { username = 'u', type = 'basic', password = { env = 'PW' } }\n"
        "settings.custom.secrets.mine = { env = 'PW' }\n"
        "settings.environment = { A = 'b', N = 5, MY_TOKEN = { env = 'PW' } }\n"
    ).runners["web"]
    found: Any = free_keys.read(spec.settings, "runners.web.settings")
    assert found["custom"]["auth"]["password"] == found["custom"]["secrets"]["mine"]
    assert free_keys.shown(found, Secret.reveal)["environment"] == [
        "A=b",
        "N=5",
        "MY_TOKEN=sentinel",
    ]
