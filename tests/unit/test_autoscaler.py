"""Autoscalers: what is refused before a host is touched, and what reaches config.toml."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from runnerkit import converge
from runnerkit.errors import KitError
from runnerkit.facts import File
from runnerkit.files import config_toml, merge
from runnerkit.files.config_toml import inline
from runnerkit.fleet import bootstrap
from runnerkit.fleet.run import Fleet
from runnerkit.place import ROOT
from runnerkit.plan import Script
from runnerkit.settings import autoscaler
from runnerkit.settings.load import load
from runnerkit.settings.targets import Target
from runnerkit.steps import fleeting
from runnerkit.templates import render
from runnerkit.want import Want
from tests.unit.build import CONFIG, GOOD, container, converged, want

GROUP = {
    "plugin": "aws:1",
    "capacity_per_instance": 2,
    "max_instances": 5,
    "plugin_config": {"name": "ci"},
    "connector_config": {"username": "runner"},
    "policy": [{"idle_count": 0, "idle_time": "20m"}],
}
MARK = (
    "/srv/gitlab-runner/config/fleeting/registry.gitlab.com/gitlab-org/fleeting/plugins/aws"
    "/installed-1"
)
# As gitlab-runner 19.3 saves it: zeros go, times change form.
SAVED = """
  [runners.autoscaler]
    capacity_per_instance = 2
    max_instances = 5
    plugin = "aws:1"
    [runners.autoscaler.plugin_config]
      name = "ci"
    [runners.autoscaler.connector_config]
      username = "runner"
      novel = "kept"
    [[runners.autoscaler.policy]]
      idle_time = "20m0s"
      novel = "kept"
"""


def data(**autoscaler: Any) -> dict[str, Any]:
    """Settings of one runner with an autoscaler, with keys laid over its own; None removes one."""
    group = {k: v for k, v in {**GROUP, **autoscaler}.items() if v is not None}
    runner = {"executor": "docker-autoscaler", "image": "debian:bookworm", "autoscaler": group}
    return {"manager": {"concurrent": 10}, "runners": {"web": runner}}


def scaled(**autoscaler: Any) -> Want:
    return want(**data(**autoscaler))


def mistakes_of(text: dict[str, Any]) -> str:
    with pytest.raises(KitError) as caught:
        load(command_line={"gitlab": {"url": "https://g"}, **text})
    return caught.value.what


def written(wanted: Want, entry: str = GOOD) -> str:
    """config.toml after the kit's write."""
    have = converged(entry)
    return config_toml.edited(have.files[CONFIG].text, wanted, have, {0: wanted.runners[0]})


def host(entry: str = SAVED, mark: str = MARK) -> Any:
    """A host with the runner of `scaled`, as the program saves it, and its plugin."""
    text = GOOD.replace("concurrent = 1", "concurrent = 10").replace(
        'executor = "docker"', 'executor = "docker-autoscaler"'
    )
    have = converged(text + entry)
    manager = container(Config={"Env": [f"FLEETING_PLUGIN_PATH={autoscaler.PLUGINS}"]})
    files = {**have.files, mark: File(b"here", 0o644, 1)}
    return replace(have, files=files, containers={"gitlab-runner": manager})


def titles(wanted: Want, have: Any) -> list[str]:
    return [change.title for change in converge.plan(wanted, have)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"executor": "docker"}, 'runners.web.autoscaler: needs executor = "docker-autoscaler"'),
        ({"autoscaler": {}}, 'runners.web.autoscaler: missing, and executor = "docker-autoscaler"'),
        ({"executor": "instance"}, "runners.web.image: jobs of the instance executor run on the machine"),
    ],
)  # fmt: skip
def test_executor_and_autoscaler_belong_together(change: dict[str, Any], message: str) -> None:
    text = data()
    text["runners"]["web"] |= change
    assert message in mistakes_of(text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"plugin": None}, "runners.web.autoscaler.plugin: missing"),
        ({"plugin": "registry.example.com:5000/aws:1"}, "no runner can use a registry with a port"),
        ({"policy": []}, "runners.web.autoscaler.policy: empty"),
        ({"policy": None}, "runners.web.autoscaler.policy: empty"),
        ({"max_instances": 6}, "manager.concurrent: 10 jobs at once, and the machines of runners.web.autoscaler need their own number: set concurrent = 12"),
        ({"connector_config": {"password": "x"}}, 'runners.web.autoscaler.connector_config.password: a secret is never written here'),
        ({"plugin_config": {"instances": {"a": {"password": "x"}}}}, "plugin_config.instances.a.password: a secret"),
        ({"plugin_config": {"list": [{"token": "x"}]}}, "plugin_config.list.token: a secret"),
        ({"plugin_config": {"private_key": "x"}}, "plugin_config.private_key: a secret is never"),
        ({"max_instnaces": 5}, "runners.web.autoscaler.max_instnaces: unknown key (did you mean 'max_instances'?)"),
        ({"policy": [{}, {"idel_time": "1m"}]}, "runners.web.autoscaler.policy.idel_time: unknown key (did you mean 'idle_time'?)"),
        ({"connector_config": {"usrname": "ci"}}, "runners.web.autoscaler.connector_config.usrname: unknown key (did you mean 'username'?)"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_with_its_path(change: dict[str, Any], message: str) -> None:
    assert message in mistakes_of(data(**change))


def test_a_key_that_is_like_no_known_one_goes_through() -> None:
    assert "novel_thing = 3" in written(scaled(novel_thing=3))


@pytest.mark.parametrize(("concurrent", "now"), [("auto", '"auto" counts'), (None, "1 jobs")])
def test_how_many_jobs_at_once_must_be_said(concurrent: Any, now: str) -> None:
    text = data()
    text["manager"] = {} if concurrent is None else {"concurrent": concurrent}
    assert f"manager.concurrent: {now}" in mistakes_of(text)


def test_the_machines_of_all_groups_count() -> None:
    text = data(max_instances=5)
    other = {**GROUP, "plugin": "aws", "plugin_config": {"name": "other"}, "max_instances": 6}
    text["runners"]["other"] = {**text["runners"]["web"], "autoscaler": other}
    assert "set concurrent = 22" in mistakes_of(text)
    text["hosts"] = {
        "one": {"address": "one", "runners": ["web"]},
        "two": {"address": "two", "runners": ["other"]},
    }
    assert "set concurrent = 12" in mistakes_of(text)


def test_a_group_has_one_master() -> None:
    text = data()
    text["manager"]["concurrent"] = 20
    text["runners"]["other"] = {**text["runners"]["web"], "autoscaler": {**GROUP, "plugin": "aws"}}
    assert "runners.other.autoscaler: the same group as runners.web" in mistakes_of(text)
    text["runners"]["other"]["autoscaler"] |= {"plugin_config": {"name": "ci2"}}
    text["hosts"] = {
        "a": {"address": "a", "runners": ["web"]},
        "b": {"address": "b", "runners": ["web", "other"]},
        "c": {"address": "c"},
    }
    mistakes = mistakes_of(text)
    assert "runners.web.autoscaler: one group on the hosts a, b, c" in mistakes
    assert "runners.other.autoscaler: one group on the hosts b, c" in mistakes
    text["hosts"] = {"a": {"address": "a"}}
    read = load(command_line={**text, "gitlab": {"url": "https://gitlab.example.com"}})
    bootstrap.wants(Fleet((Target("a", "a"),), read, print))
    with pytest.raises(KitError, match=r"runners.web has an autoscaler, .* not a, new"):
        bootstrap.wants(Fleet((Target("new", "root@new"),), read, print))


@pytest.mark.parametrize(
    "change",
    [
        {"max_instances": 4},
        {"policy": [{"idle_count": 1, "idle_time": "20m"}]},
        {"policy": [{"idle_count": 0, "idle_time": "21m"}]},
        {"policy": [*GROUP["policy"], {"periods": ["* 8-18 * * mon-fri"]}]},  # type: ignore[misc]
        {"policy": [{"preemptive_mode": False}]},
        {"plugin_config": {"name": "ci", "public": False}},
        {"state_storage": {"enabled": True}},
        {"key_of_a_later_version": 1},
    ],
)
def test_a_change_of_the_settings_is_written_and_then_seen(change: dict[str, Any]) -> None:
    wanted, have = scaled(**change), host()
    assert titles(wanted, have) == [f"write {CONFIG}"]
    text = config_toml.edited(have.files[CONFIG].text, wanted, have, {0: wanted.runners[0]})
    entry = tomllib.loads(text)["runners"][0]
    assert not merge.missing(config_toml.runner_wanted(wanted.runners[0]), entry)
    assert text.count("novel") == (
        2 if len(wanted.runners[0].spec.autoscaler["policy"]) == 1 else 1
    )


def test_only_a_change_beyond_the_policy_restarts_the_manager() -> None:
    for change, restarts in (
        ({"max_instances": 4}, True),
        ({"policy": [{"idle_count": 3}]}, False),
    ):
        (write,) = converge.plan(scaled(**change), host())
        assert isinstance(write, Script)
        assert ("docker stop -t 3600" in write.text) is restarts
        assert "kill -HUP" not in write.text  # it would reach the plugin, and end it


@hypothesis_settings(deadline=None)
@given(st.integers(0, 5), st.integers(0, 59), st.integers(0, 59))
def test_times_are_compared_by_what_they_mean(hours: int, minutes: int, seconds: int) -> None:
    total = hours * 3600 + minutes * 60 + seconds
    form = f"{hours}h{minutes}m{seconds}s"
    assert not merge.missing({"t": f"{total}s"}, {"t": form})
    assert merge.missing({"t": f"{total + 1}s"}, {"t": form})


def test_the_program_is_given_the_same_as_a_template() -> None:
    config = {
        "instances": {"a b": {"internal_addr": "10.0.0.1:22"}},
        "list": [{"x": 1.5}],
        "no": [],
    }
    entry = config_toml.runner_wanted(scaled(plugin_config=config).runners[0])
    text = render("config.toml.j2", entry=entry, toml=inline)
    assert tomllib.loads(text)["runners"] == [entry]


@pytest.mark.parametrize(
    ("plugin", "folder"),
    [
        ("aws", "registry.gitlab.com/gitlab-org/fleeting/plugins/aws"),
        ("aws:1.2", "registry.gitlab.com/gitlab-org/fleeting/plugins/aws"),
        ("ours/plugin:latest", "registry.gitlab.com/ours/plugin"),
        ("reg.example.com:5000/plugins/aws:1", "reg.example.com:5000/plugins/aws"),
        ("/etc/gitlab-runner/fleeting/fleeting-plugin-static", None),
        ("fleeting-plugin-static", None),
    ],
)
def test_a_plugin_is_published_or_a_binary(plugin: str, folder: str | None) -> None:
    assert autoscaler.published(plugin) is (folder is not None)
    if folder:
        assert autoscaler.folder(plugin) == folder


def test_a_plugin_is_installed_once_before_config_toml_names_it() -> None:
    have = host()
    lost = replace(have, files={CONFIG: converged().files[CONFIG]})
    pending = titles(scaled(), lost)
    assert pending[0] == "install the fleeting plugin aws:1"
    assert pending[1] == f"write {CONFIG}"
    other = replace(have, files={**have.files})
    assert titles(scaled(plugin="aws:1.4"), other)[0] == "install the fleeting plugin aws:1.4"
    assert titles(scaled(plugin="fleeting-plugin-aws"), have)[0] == f"write {CONFIG}"


def test_a_runner_without_fleeting_is_told_what_to_do() -> None:
    output = "FATAL: Command fleeting not found."
    (change,) = fleeting.changes(scaled(), converged())
    assert isinstance(change, Script)
    fix = next(hint.fix for hint in change.hints if hint.pattern in output)
    assert "16.11 and later" in fix


@pytest.mark.parametrize("cloud", ["aws", "gcp", "azure", "static"])
def test_each_cloud_s_example_is_valid_with_what_is_commented_out_too(
    cloud: str, tmp_path: Path
) -> None:
    text = (ROOT / f"templates/runnerkit.{cloud}.toml").read_text()
    file = tmp_path / "runnerkit.toml"
    for one in (text, re.sub(r"^# (?=\w+ = )", "", text, flags=re.M)):
        file.write_text(one)
        (runner,) = load(file).runners.values()
        assert merge.DURATION.search(runner.autoscaler["connector_config"]["timeout"])
