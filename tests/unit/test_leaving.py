"""What leaves the settings is in the plan as going; what the kit did not write, or others changed, stays."""

import json
from dataclasses import replace
from typing import Any

import pytest

from runnerkit.checks.runner import leftovers
from runnerkit.checks.runner import memory as check
from runnerkit.facts import Facts, File
from runnerkit.files import memory, record
from runnerkit.plan import Script
from runnerkit.settings.secrets import Secret
from tests.unit.build import CONFIG, DAEMON, GOOD, TOKEN, URL, container, converged
from tests.unit.remembering import content, entry, ours, plan, remembered, without_token

API = f"""
[[runners]]
  name = "ci1-api"
  url = "{URL}"
  id = 8
  token = "glrt-api0000000000000000"
  executor = "docker"
  [runners.docker]
    image = "debian:bookworm"
    pull_policy = ["if-not-present"]
"""
BOTH = {"api": {"image": "debian:bookworm"}}


LEFT: dict[str, tuple[dict[str, Any], Facts, str]] = {
    "a key of a runner": ({"settings": {"limit": 4}}, entry("limit = 4"), "limit"),
    "one in the runner's own form": (
        {"docker": {"wait_for_services_timeout": 90, "memory": "1g"}},
        entry('|wait_for_services_timeout = 90\n    memory = "1g"'),
        "docker.memory, docker.wait_for_services_timeout",
    ),
    "a table": (
        {"settings": {"feature_flags": {"FF_A": True, "FF_B": False}}},
        converged(f"{GOOD}  [runners.feature_flags]\n    FF_A = true\n    FF_B = false\n    FF_C = true\n"),
        "feature_flags.FF_A, feature_flags.FF_B",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LEFT)
def test_a_key_that_leaves_the_settings_goes(case: str) -> None:
    runner, have, names = LEFT[case]
    said = ours(runners={"web": runner})
    known = remembered(have, said)
    assert plan(said, known) == [], "nothing has left yet"
    (write,) = plan(ours(), known)
    assert write.title == f"write {CONFIG} (no longer in the settings: {names})"
    kept = [one for one in write.diff.splitlines()[2:] if one.startswith("+")]
    assert kept == [], "nothing comes"
    assert plan(ours(), have) == [], "without a memory it is somebody's"
    assert plan(replace(ours(), origin=""), known) == [], "a run without settings names nothing"


def test_a_key_that_somebody_has_changed_stays_and_is_told() -> None:
    said = ours(runners={"web": {"settings": {"limit": 4}}})
    known = remembered(entry("limit = 4"), said)
    have = replace(
        entry("limit = 9"),
        files={**entry("limit = 9").files, memory.PATH: known.files[memory.PATH]},
    )
    assert plan(ours(), have) == []
    (note,) = check.findings(ours(), have)
    assert (note.code, "limit" in note.what) == ("key-stays", True)


def test_a_global_key_goes_and_one_that_is_read_at_the_start_stops_the_manager() -> None:
    said = ours(manager={"settings": {"listen_address": ":9252", "log_level": "warn"}})
    have = remembered(converged('listen_address = ":9252"\nlog_level = "warn"\n' + GOOD), said)
    (write,) = plan(ours(), have)
    assert isinstance(write, Script)
    assert "docker stop" in write.text
    (write,) = plan(ours(manager={"settings": {"listen_address": ":9252"}}), have)
    assert isinstance(write, Script)
    assert ("docker stop" in write.text, write.title.count("log_level")) == (False, 1)


def test_jobs_keep_their_cache_where_volumes_go() -> None:
    said = ours(runners={"web": {"docker": {"volumes": ["/data:/data"]}}})
    have = remembered(converged(GOOD.replace('["/cache"]', '["/data:/data", "/cache"]')), said)
    (write,) = plan(ours(), have)
    assert '+    volumes = ["/cache"]' in write.diff.splitlines()
    assert plan(ours(), remembered(converged(), said)) == []


@pytest.mark.parametrize(
    ("keys", "now", "titles"),
    [
        ({"log-driver": "json-file"}, {"log-driver": "json-file", "debug": True},
         [f"write {DAEMON} (no longer in the settings: log-driver)", "restart docker"]),
        ({"insecure-registries": ["r:5000"]}, {"insecure-registries": ["r:5000"]},
         [f"write {DAEMON} (no longer in the settings: insecure-registries)", "reload docker"]),
        ({"log-opts": {"max-size": "1m"}}, {"log-opts": {"max-size": "1m", "max-file": "3"}},
         [f"write {DAEMON} (no longer in the settings: log-opts.max-size)", "restart docker"]),
        ({"log-driver": "json-file"}, {"log-driver": "local"}, []),
    ],
)  # fmt: skip
def test_a_key_of_daemon_json_goes(
    keys: dict[str, Any], now: dict[str, Any], titles: list[str]
) -> None:
    have = remembered(converged(daemon=now), ours(docker={"daemon": keys}))
    changes = plan(ours(), have)
    assert [one.title for one in changes] == titles
    kept = json.dumps({key: now[key] for key in now if key not in keys})
    assert not changes or all(key in changes[0].diff for key in json.loads(kept))


def test_a_restart_that_was_cut_off_is_made_up_for() -> None:
    """The key has gone from the file, and dockerd runs with it still."""
    have = remembered(
        converged(daemon={"debug": True}), ours(docker={"daemon": {"log-driver": "local"}})
    )
    later = replace(have.files[DAEMON], modified=2000)
    have = replace(have, files={**have.files, DAEMON: later})
    assert [one.title for one in plan(ours(), have)] == ["restart docker"]


@pytest.mark.parametrize("now", [["http://m"], []])
def test_mirrors_that_leave_are_taken_from_a_daemon_that_runs(now: list[str]) -> None:
    have = converged(daemon={"registry-mirrors": now})
    have = replace(have, info={**have.info, "RegistryConfig": {"Mirrors": ["http://m/"]}})
    have = remembered(have, ours(docker={"registry_mirrors": ["http://m"]}))
    titles = [one.title for one in plan(ours(), have)]
    assert titles[-1] == "reload docker"
    assert len(titles) == (2 if now else 1)


def test_a_variable_of_the_manager_goes_and_theirs_stay() -> None:
    said = ours(manager={"environment": {"A": "b", "C": "d"}})
    now = container(Config={"Env": ["A=b", "C=other", "OWN=1"]})
    have = remembered(converged(containers={"gitlab-runner": now}), said)
    (change,) = plan(ours(), have)
    assert isinstance(change, Script)
    assert change.title.endswith("(environment A, which the settings name no longer)")
    assert "\nA=b\n" not in change.text
    assert "C=other\nOWN=1\n" in change.text


def test_a_runner_that_the_kit_registered_goes_with_its_manager() -> None:
    have, said = converged(GOOD + API), without_token(ours(runners=BOTH))
    known = remembered(have, said, "api")
    (write,) = plan(ours(), known)
    assert isinstance(write, Script)
    assert write.title == f"write {CONFIG} (no longer in the settings: runner ci1-api)"
    assert "unregister" in write.text
    assert list(leftovers.findings(ours(), known)) == []
    assert plan(ours(), remembered(have, said)) == [], "somebody registered it"
    assert [one.code for one in leftovers.findings(ours(), remembered(have, said))] == [
        "runner-left"
    ]
    renewed = replace(
        known,
        files={
            **known.files,
            CONFIG: File((GOOD + API.replace("api00", "api11")).encode(), 0o600, 1),
        },
    )
    assert len(plan(ours(), renewed)) == 1, "its manager renewed the token"
    other = replace(
        known,
        files={
            **known.files,
            CONFIG: File(
                (GOOD + API.replace("api00", "api11").replace("= 8", "= 9")).encode(), 0o600, 1
            ),
        },
    )
    assert plan(ours(), other) == [], "somebody registered another in its place"


@pytest.mark.parametrize(
    "runner", [{"web": {"name": "new"}}, {"new": {"image": "debian:bookworm"}}]
)
def test_a_runner_goes_only_once_the_one_in_its_place_is_registered(runner: dict[str, Any]) -> None:
    """By another name, or by another key: a registration that fails leaves a host its runner."""
    known = remembered(converged(), without_token(ours()), "web")
    renamed = ours(runners=runner)
    renamed = replace(
        renamed,
        runners=tuple(
            replace(one, token=None, registration_token=Secret("old"))
            for one in renamed.runners
            if one.key in runner
        ),
    )
    (register,) = plan(renamed, known)
    assert register.title in (
        "register runner new, after which ci1-web goes",
        "register runner ci1-new, after which ci1-web goes",
    )
    ahead = record.ahead(renamed, known, [register])
    assert ahead
    entry = GOOD.split("\n", 1)[1].replace(TOKEN, "new-token").replace("id = 7", "id = 8")
    name = register.title.split()[2].rstrip(",")
    there = {
        memory.PATH: File(content(ahead).encode(), 0o600, 1),
        CONFIG: File((GOOD + entry.replace("ci1-web", name)).encode(), 0o600, 1),
    }
    (write,) = plan(renamed, replace(known, files={**known.files, **there}))
    assert write.title == f"write {CONFIG} (no longer in the settings: runner ci1-web)"


def test_two_settings_files_leave_each_other_s_alone() -> None:
    """Two teams share a host: each has its runner, and one of them a key of daemon.json."""
    mine = ours(docker={"daemon": {"debug": True}}, runners={"web": {"settings": {"limit": 4}}})
    config = GOOD.replace("  executor", "  limit = 4\n  executor") + API
    have = remembered(converged(config, daemon={"debug": True}), mine, "web")
    theirs = replace(ours(runners=BOTH), origin="theirs")
    theirs = replace(
        theirs,
        runners=tuple(replace(one, token=None) for one in theirs.runners if one.key == "api"),
    )
    assert plan(theirs, have) == []
    both = remembered(have, theirs, "api")
    assert plan(theirs, both) == plan(mine, both) == []
    (write,) = plan(replace(mine, docker=ours().docker), both)[:1]
    assert "debug" in write.title
    only_mine = {**both.files, CONFIG: File(config.replace(API, "").encode(), 0o600, 1)}
    change = record.settled(replace(mine, docker=ours().docker), replace(both, files=only_mine))
    assert change and '-  "theirs": {' in change.diff, "they have left the host"


def test_the_same_settings_from_another_place_take_the_memory_over() -> None:
    said = ours(runners={"web": {"settings": {"limit": 4}}})
    have = remembered(entry("limit = 4"), said)
    elsewhere = replace(ours(), origin="a colleague's")
    assert len(plan(elsewhere, have)) == 1
    assert record.settled(replace(said, origin="a colleague's"), have) is None, "all is as it was"
    change = record.settled(elsewhere, have)
    assert change and '-  "mine": {' in change.diff and '+  "a colleague' in change.diff


def test_a_manager_beside_ours_is_not_forgotten() -> None:
    """Two settings files, and a config.toml each: a run sees its own."""
    theirs = ours("theirs", manager={"config_dir": "/srv/other", "container": "other"})
    have = remembered(converged(), theirs)
    assert plan(ours(), have) == []
    change = record.settled(ours(), have)
    assert change and '-  "theirs"' not in change.diff
