"""No secret is seen: not in the files of a plan, at whatever depth, nor in any other text."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import tomlkit
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from runnerkit import converge
from runnerkit.errors import KitError
from runnerkit.facts import File
from runnerkit.files.diff import SAME, diff
from runnerkit.redact import mask
from runnerkit.settings import free_keys
from runnerkit.settings.load import load
from runnerkit.settings.secrets import names_secret
from tests.unit.build import CONFIG, DAEMON, GOOD, converged, want
from tests.unit.growth import linear

JSON, TOML = "/etc/docker/daemon.json", "/x/config.toml"
SECRETS = (
    *("token", "splunk-token", "SecretKey", "AccessKey", "AccountKey", "PrivateKey", "password"),
    *("bearer_token", "client_secret", "DOCKER_AUTH_CONFIG", "auth", "identitytoken", "DB_PASS"),
    *("api_key", "apiKey", "private_key", "passphrase", "AWS_SECRET_ACCESS_KEY", "credentials"),
    *("MYSQL_ROOT_PASSWORD", "SessionToken", "TOKEN_2", "key", "HTTP_BASIC_AUTH", "pwd"),
)
PLAIN = (
    *("key_path", "tlskey", "token_expires_at", "AccessID", "CredentialsFile", "username"),
    *("authorization-plugins", "GIT_AUTHOR_NAME", "POSTGRES_HOST_AUTH_METHOD", "SSH_AUTH_SOCK"),
    *("allowed_users", "monkey", "compass", "ServerSideEncryptionKeyID", "keepalive", "PATH"),
)


@pytest.mark.parametrize("key", SECRETS)
def test_a_name_says_that_it_is_a_secret(key: str) -> None:
    assert names_secret(key)
    assert "sentinel" not in mask(f'{key} = "sentinel"')


@pytest.mark.parametrize("key", PLAIN)
def test_a_name_that_only_resembles_one_hides_nothing(key: str) -> None:
    assert not names_secret(key)
    assert "/path" in diff("", tomlkit.dumps({key: "/path"}), TOML)


@pytest.mark.parametrize(
    "text",
    [
        r'environment = ["DOCKER_AUTH_CONFIG={\"auths\":{\"r\":{\"auth\":\"sentinel\"}}}"]',
        r'x = "{\"auths\":{\"r\":{\"password\":\"sentinel\"}}}"',
        '{"log-opts":{"splunk-token" : "sent\\"inel sentinel"}}',
        "curl --password sentinel --other",
        'curl -H "Authorization: Bearer sentinel-sentinel"',
        'token = """\nsentinel\n"""',
        "-----BEGIN RSA PRIVATE KEY-----\nsentinel\n-----END RSA PRIVATE KEY-----",
        "https://user:sen@sentinel@host/path",
        "https://sentinel@host/path",
        "export A_TOKEN=sentinel; echo",
    ],
)
def test_a_text_shows_no_secret(text: str) -> None:
    assert "sentinel" not in mask(text)


@pytest.mark.parametrize(
    "text",
    [
        "error: invalid token: copy it again",
        "use_token = true",
        'password = ""',
        "image@sha256:0123 of https://host/path@x",
        "tls_verify = false",
        'failed to compute cache key: "/nosuch": not found',
    ],
)
def test_what_is_no_secret_is_read(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize(
    "piece",
    ["a", ".", "-", "\n", " ", "token=", '"', "\\", "://", "://a@", "{", "'token='", '"token=a'],
)
def test_a_text_is_masked_in_time_that_grows_as_it_does(piece: str) -> None:
    assert linear(mask, piece, 20_000)


WORDS = st.text("abcXYZ019 _-.=:/@{}[]\"'\\\n#é,", min_size=6, max_size=30).map(
    lambda text: f"sEnT{text}iNeL"
)
LEAVES = st.booleans() | st.integers(0, 9) | st.text("xyz ", max_size=4)
KEYS = st.sampled_from(("a", "log-opts", "cache", "s3", "x.y", "é"))
Maker = Callable[[dict[str, Any]], str]


def inside(value: dict[str, Any], path: list[str], beside: Any) -> dict[str, Any]:
    for key in reversed(path):
        value = {"beside": beside, key: value}
    return value


@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    secret=WORDS,
    key=st.sampled_from(SECRETS),
    path=st.lists(KEYS, max_size=3),
    beside=LEAVES,
    form=st.sampled_from(("text", "list", "table", "variable", "json", "variables")),
    indent=st.sampled_from([None, 1, 4]),
    of_json=st.booleans(),
)
def test_no_secret_below_a_secret_s_key_survives_in_a_plan(
    secret: str,
    key: str,
    path: list[str],
    beside: Any,
    form: str,
    indent: int | None,
    of_json: bool,
) -> None:
    forms: dict[str, dict[str, Any]] = {
        "text": {key: secret},
        "list": {key: [secret, "x"]},
        "table": {key: {"user": "x", "inner": {"value": secret}}},
        "variable": {"environment": ["A=b", f"{key.replace('-', '_')}={secret}"]},
        "json": {"environment": ["A=" + json.dumps({"auths": {"r": {key: secret}}})]},
        "variables": {"one": f"{key}={secret}"},
    }
    data = inside(forms[form], path, beside)
    old = json.dumps(data, indent=indent) if of_json else tomlkit.dumps(data)
    new = json.dumps({**data, "new": 1}, indent=indent) if of_json else f"new = 1\n{old}"
    where = JSON if of_json else TOML
    for text in (diff(old, new, where), diff("", new, where), diff(old, "", where)):
        assert secret not in text
        assert secret[:12] not in text
        assert "new" in text or "-" in text


def test_a_change_of_a_secret_alone_is_told_without_it() -> None:
    assert diff('{"token":"a"}', '{"token":"b"}', JSON) == SAME


def test_a_plan_of_a_host_with_secrets_of_others_shows_none() -> None:
    config = GOOD.replace("concurrent = 1", "concurrent = 2") + (
        '  [runners.cache]\n    s3 = { SecretKey = "sentinel", AccessKey = "sentinel" }\n'
        '    gcs.PrivateKey = """\nsentinel\nsentinel\n"""\n'
    )
    daemon = (
        b'{"log-opts":{"splunk-token":"sentinel"},"proxies":{"http-proxy":"http://u:sentinel@p"}}'
    )
    files = {CONFIG: File(config.encode(), 0o600, 500), DAEMON: File(daemon, 0o644, 500)}
    wanted = want(manager={"concurrent": 3}, docker={"daemon": {"debug": True}})
    changes = converge.plan(wanted, converged(files=files))
    shown = "\n".join(change.diff for change in changes)
    assert "sentinel" not in shown
    assert '"debug":true' in shown
    assert "+concurrent = 3" in shown


PLACES = {
    "runners.web.settings.cache.s3.SecretKey": "[runners.web.settings.cache.s3]\nSecretKey = {}",
    "runners.web.settings.cache.s3.AccessKey": "[runners.web.settings.cache.s3]\nAccessKey = {}",
    "runners.web.settings.environment.DOCKER_AUTH_CONFIG": (
        "[runners.web.settings.environment]\nA = 1\nDOCKER_AUTH_CONFIG = {}"
    ),
    "runners.web.docker.services.environment.POSTGRES_PASSWORD": (
        "[[runners.web.docker.services]]\nname = 'db'\nenvironment.POSTGRES_PASSWORD = {}"
    ),
    "manager.settings.experimental.token": "[manager.settings.experimental]\ntoken = {}",
    "docker.daemon.log-opts.splunk-token": "[docker.daemon.log-opts]\nsplunk-token = {}",
}
BASE = '[gitlab]\nurl="https://gitlab.example.com"\n[runners.web]\nimage="debian:bookworm"\n'


@pytest.mark.parametrize("path", PLACES)
def test_a_secret_of_a_free_key_is_kept_elsewhere(
    path: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runnerkit.resolve import of_host

    file = tmp_path / "runnerkit.toml"
    for wrong in ('"sentinel"', '{ env = "the-sentinel" }', '{ env = "KEPT", file = "sentinel" }'):
        file.write_text(BASE + PLACES[path].format(wrong))
        with pytest.raises(KitError) as caught:
            load(file)
        assert f"{path}: a secret is never written here" in caught.value.what
        assert "sentinel" not in str(caught.value)

    file.write_text(BASE + PLACES[path].format('{ env = "KEPT" }'))
    with pytest.raises(KitError, match="is empty: KEPT"):
        of_host(load(file), "ci1")

    monkeypatch.setenv("KEPT", 'sentinel"\n\\x')
    changes = converge.plan(of_host(load(file), "ci1"), converged(daemon={"debug": True}))
    (write,) = [change for change in changes if change.title.startswith("write")]
    assert "sentinel" not in write.diff
    assert "sentinel" not in repr(changes)


def test_a_secret_in_a_list_of_variables_is_refused_and_a_reference_is_not(tmp_path: Any) -> None:
    file = tmp_path / "runnerkit.toml"
    text = BASE + "settings.environment = ['A=b', 'DOCKER_AUTH_CONFIG={}', 'B_TOKEN=$B_TOKEN']\n"
    file.write_text(text)
    with pytest.raises(KitError) as caught:
        load(file)
    assert "1 mistake" in caught.value.what
    assert "DOCKER_AUTH_CONFIG is a secret: write environment as a table" in caught.value.what


def test_variables_as_a_table_become_a_list_and_a_plugin_s_table_stays_one() -> None:
    table = {"environment": {"A": True, "B": 2}}
    wanted = {"environment": ["A=true", "B=2"]}
    assert free_keys.shown({**table, "plugin_config": table}, str) == {
        **wanted,
        "plugin_config": table,
    }
