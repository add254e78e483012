"""Whatever a host has, or settings have made of it: what is adopted leaves nothing to change."""

import os
from copy import deepcopy
from dataclasses import replace
from typing import Any

import tomlkit
from hypothesis import Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from runnerkit import resolve
from runnerkit.adoption import tables
from runnerkit.adoption.hosts import propose
from runnerkit.errors import KitError
from runnerkit.facts import Facts
from runnerkit.files import config_toml
from runnerkit.settings import free_keys, known_keys
from runnerkit.settings.load import load
from runnerkit.settings.secrets import Secret
from runnerkit.steps import registration
from runnerkit.want import Want, WantedRunner
from tests.unit.build import TOKEN, URL, container, converged
from tests.unit.remembering import remembered
from tests.unit.test_adoption import data_of, site

WORDS = st.sampled_from(
    ["a", "web", "1g", "/cache", "/opt:/opt:ro", 'quo"ted', "ünï", "a\nb", "$X", ""]
)
SECRETS = st.sampled_from(["glrt-sentinel0000", "http://u:sentinel@h", "TOKEN=sentinel"])
LEAVES = (
    WORDS
    | SECRETS
    | st.booleans()
    | st.integers(-1, 5)
    | st.floats(0, 9)
    | st.lists(WORDS, max_size=2)
)
KEYS = st.sampled_from(
    [
        *(key for key in known_keys.DOCKER if key != "helper_image"),
        "token",
        "Odd",
        "env",
        "file",
        "command",
        "a.b",
        "new key",
    ]
)
TABLE = st.dictionaries(
    KEYS, LEAVES | st.dictionaries(KEYS, LEAVES, max_size=2) | st.lists(st.dictionaries(KEYS, LEAVES, max_size=1), max_size=1), max_size=4
)  # fmt: skip
RUNNER_KEYS = st.sampled_from([*known_keys.RUNNER, "Odd"])
VARIABLES = st.lists(
    st.sampled_from(["A=b", "TOKEN=sentinel", "URL=http://u:sentinel@h", "X", "A="]), max_size=3
)
ENTRY = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["web", "ci1", "ci1-web", "", "ein Name", "default"]),
        "url": st.sampled_from([URL, f"{URL}/", "https://gitlab.com", "$URL"]),
        "token": st.sampled_from([TOKEN, "old0token", "$TOKEN", "glrt-three"]),
        "executor": st.sampled_from(["docker", "docker", "docker", "shell", "instance", "docker-autoscaler"]),
        "docker": TABLE.map(lambda one: {**one, "image": "debian:bookworm"}) | TABLE,
    },
    optional={"settings": st.dictionaries(RUNNER_KEYS, LEAVES, max_size=3), "environment": VARIABLES},
)  # fmt: skip


def written(entry: dict[str, Any]) -> dict[str, Any]:
    more = entry.pop("settings", {})
    return {**more, **entry}


@hypothesis_settings(deadline=None, max_examples=80, phases=(Phase.generate,))
@given(
    entries=st.lists(ENTRY.map(written), min_size=1, max_size=3),
    globals_=st.dictionaries(st.sampled_from([*known_keys.MANAGER, "Odd"]), LEAVES, max_size=3),
    daemon=st.dictionaries(st.sampled_from(["log-opts", "debug", "registry-mirrors", "dns"]), LEAVES, max_size=2),
    two=st.booleans(),
)  # fmt: skip
def test_whatever_a_host_has(
    entries: list[dict[str, Any]], globals_: dict[str, Any], daemon: dict[str, Any], two: bool
) -> None:
    text = tomlkit.dumps({**globals_, "runners": entries})
    sites = [site(text, name, daemon=daemon) for name in ("ci1", "ci2")[: 1 + two]]
    try:
        if not propose(sites).names:
            return
    except KitError:
        return
    data, _ = data_of(*sites)
    assert "sentinel" not in str(data)


SETTINGS = st.fixed_dictionaries(
    {
        "docker": st.fixed_dictionaries(
            {},
            optional={
                "daemon": st.fixed_dictionaries(
                    {},
                    optional={
                        "debug": st.booleans(),
                        "log-opts": st.fixed_dictionaries({"max-size": st.sampled_from(["1m", "2m"])}),
                        "labels": st.lists(st.sampled_from(["a=b", "c=d"]), unique=True),
                    },
                ),
            },
        ),
        "manager": st.fixed_dictionaries(
            {"concurrent": st.integers(1, 9) | st.just("auto")},
            optional={
                "environment": st.dictionaries(st.sampled_from(["NO_PROXY", "A"]), st.just("x y")),
                "settings": st.fixed_dictionaries(
                    {},
                    optional={
                        "check_interval": st.integers(0, 9),
                        "listen_address": st.just("127.0.0.1:9252"),
                        "session_server": st.just({"session_timeout": 60}),
                    },
                ),
            },
        ),
        "runners": st.dictionaries(
            st.sampled_from(["web", "db", "default", "x-y"]),
            st.fixed_dictionaries(
                {"image": st.sampled_from(["debian:bookworm", "registry.example.com/a:1", "$IMAGE"])},
                optional={
                    "name": st.sampled_from(["ci1-db", "Ein Name", "ci1"]),
                    "pull_policy": st.lists(st.sampled_from(["always", "never", "if-not-present"]), max_size=2, unique=True),
                    "hardening": st.sampled_from(["shared", "trusted"]),
                    "docker": st.fixed_dictionaries(
                        {},
                        optional={
                            "privileged": st.booleans(),
                            "volumes": st.lists(st.sampled_from(["/cache", "/opt:/opt"]), unique=True),
                            "cap_add": st.lists(st.just("NET_RAW"), max_size=1),
                            "services_privileged": st.booleans(),
                            "tmpfs": st.just({"/run": "rw,size=1m"}),
                            "services": st.just([{"name": "postgres:16", "alias": "db"}]),
                        },
                    ),
                    "settings": st.fixed_dictionaries(
                        {},
                        optional={
                            "limit": st.integers(0, 4),
                            "environment": st.just({"A": "b", "A_TOKEN": {"env": "ADOPTED"}}) | st.just(["A=b"]),
                            "pre_build_script": st.just("set -e\necho 'x'\n"),
                            "feature_flags": st.just({"FF_X": False}),
                            "cache": st.just({"Type": "s3", "s3": {"SecretKey": {"env": "ADOPTED"}}}),
                        },
                    ),
                },
            ),
            min_size=1,
            max_size=3,
        ),
    }
)  # fmt: skip


def made(want: Want) -> Facts:
    """The host that bootstrap makes of settings."""
    have = converged("", daemon=free_keys.shown(want.docker.daemon, Secret.reveal), files={})
    config = {**config_toml.globals_wanted(want, have), "runners": []}
    for number, runner in enumerate(want.runners):
        head = {"name": runner.name("ci1"), "url": URL, "token": f"glrt-number{number:05}"}
        config["runners"].append({**head, **config_toml.runner_wanted(runner)})
    variables = [f"{key}={value}" for key, value in want.manager.environment.items()]
    daemon = free_keys.shown(want.docker.daemon, Secret.reveal)
    return converged(
        tomlkit.dumps(config),
        daemon=daemon,
        containers={"gitlab-runner": container(Config={"Env": variables})},
        images={**have.images, "registry.example.com/a:1": {"Id": "sha256:a"}},
    )


@hypothesis_settings(deadline=None, max_examples=60, phases=(Phase.generate,))
@given(data=SETTINGS, known=st.booleans())
def test_what_settings_have_made_is_read_back(data: dict[str, Any], known: bool) -> None:
    os.environ["ADOPTED"] = "sentinel"
    try:
        want = resolve.of_host(load(command_line={"gitlab": {"url": URL}, **deepcopy(data)}), "ci1")
        have = made(want)
        list(registration.changes(want, have))
    except KitError:
        return  # mistakes, or two runners of one name
    if known:
        have = remembered(have, replace(want, origin="old"))
    one = site(have=have)
    _, found = data_of(one)
    again = found.want("ci1")
    assert len(again.runners) == len(want.runners)
    for new, old in zip(again.runners, want.runners, strict=True):
        assert new.name("ci1") == old.name("ci1")
        assert said(new) == said(old)
    assert again.docker.daemon == tables.without({}, want.docker.daemon)
    assert again.manager.environment == want.manager.environment


def said(runner: WantedRunner) -> dict[str, Any]:
    """What it says in config.toml, without what says nothing."""
    entry = config_toml.runner_wanted(runner)
    return {
        **tables.without(tables.RUNNER, entry),
        "docker": tables.without(tables.DOCKER, entry["docker"]),
    }
