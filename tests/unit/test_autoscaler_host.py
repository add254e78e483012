"""A host whose manager hands jobs to other machines: its environment, its secrets, its drain."""

from dataclasses import replace
from typing import Any

import pytest

from runnerkit import converge
from runnerkit.checks.runner import plugins
from runnerkit.errors import KitError
from runnerkit.files import config_toml
from runnerkit.plan import Script
from tests.unit.build import blank, converged, want
from tests.unit.test_autoscaler import data, host, mistakes_of, scaled, titles, written


def test_the_instance_executor_needs_no_image_and_writes_no_docker_section() -> None:
    text = data()
    text["runners"]["web"] |= {"executor": "instance", "image": ""}
    entry = config_toml.runner_wanted(want(**text).runners[0])
    assert set(entry) == {"executor", "autoscaler"}


def test_what_the_program_saved_is_no_difference() -> None:
    assert titles(scaled(), host()) == []


def test_a_secret_is_read_written_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = {"password": {"env": "MACHINE_PASSWORD"}}
    change: dict[str, Any] = {
        "connector_config": secret,
        "plugin_config": {"instances": {"a": secret}, "list": [secret]},
    }
    with pytest.raises(KitError, match=r"connector_config.password is empty: MACHINE_PASSWORD"):
        scaled(**{**change, "plugin_config": {}})
    monkeypatch.setenv("MACHINE_PASSWORD", "sentinel")
    wanted, have = scaled(**change), host()
    assert "sentinel" not in repr(wanted)
    assert written(wanted).count('password = "sentinel"') == 3
    (write,) = converge.plan(wanted, have)
    assert "+      password = ***" in write.diff
    assert "sentinel" not in write.diff


def test_the_plan_of_a_blank_host_shows_the_whole_entry_without_its_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MACHINE_PASSWORD", "sentinel")
    wanted = scaled(connector_config={"password": {"env": "MACHINE_PASSWORD"}})
    (register,) = [
        one for one in converge.plan(wanted, blank()) if one.title.startswith("register runner")
    ]
    for line in ('+plugin = "aws:1"', '+idle_time = "20m"', '+image = "debian:bookworm"'):
        assert line in register.diff
    assert "+password = ***" in register.diff
    assert "sentinel" not in register.diff


def test_what_was_to_be_put_there_by_hand_and_is_not_is_told() -> None:
    named = "/etc/gitlab-runner/machines.key"
    wanted = scaled(plugin="/etc/gitlab-runner/p/static", connector_config={"key_path": named})
    places = ("/srv/gitlab-runner/config/p/static", "/srv/gitlab-runner/config/machines.key")
    assert plugins.needs(wanted).paths == places
    (found,) = plugins.findings(wanted, replace(host(), paths=frozenset(places[:1])))
    assert found.what.startswith(f"the key_path of runner web, {named}, is not there")
    assert places[1] in found.fix
    assert list(plugins.findings(wanted, replace(host(), paths=frozenset(places)))) == []
    assert plugins.needs(scaled(connector_config={"key_path": "/root/key"})).paths == ()


def test_a_manager_that_cannot_see_its_plugins_is_replaced() -> None:
    have = replace(host(), containers=converged().containers)
    assert titles(scaled(), have) == [
        "replace the container gitlab-runner (environment FLEETING_PLUGIN_PATH)"
    ]
    assert "FLEETING_PLUGIN_PATH" in mistakes_of(
        {**data(), "manager": {"environment": {"FLEETING_PLUGIN_PATH": "/x"}}}
    )


def test_jobs_on_other_machines_are_waited_for_to_their_end() -> None:
    have = host()
    stale = {**have.containers["gitlab-runner"], "Image": "sha256:other"}
    (replaced,) = converge.plan(scaled(), replace(have, containers={"gitlab-runner": stale}))
    assert isinstance(replaced, Script)
    assert "idle=0" not in replaced.text.replace("waited=0 idle=0", "")
