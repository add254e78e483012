"""What a host has is proposed, and no more: its words choose no secret, no image for others, no line."""

import json
import tomllib
from dataclasses import replace

import pytest

from runnerkit.adoption import document
from runnerkit.adoption.gap import Gap
from runnerkit.adoption.hosts import propose
from runnerkit.adoption.references import References
from runnerkit.adoption.refusals import MOST
from runnerkit.errors import KitError
from runnerkit.facts import File
from runnerkit.files import daemon_json
from runnerkit.settings.secrets import Secret
from runnerkit.steps import prune_timer
from tests.unit.build import TOKEN, converged, want
from tests.unit.test_adoption import DEFAULTS, data_of, entry, site

BREAKS = 'a"\n[x]\ny = { command = ["touch"] }  #\x1b]0;x\x07\u2028\u202e'


@pytest.mark.parametrize("key", ["DOCKER_AUTH_CONFIG", "GITLAB_TOKEN", "token", "sudo_password"])
def test_the_variable_of_a_hosts_secret_is_nobody_elses(key: str) -> None:
    text = f'\n  executor = "docker"\n  [runners.custom]\n    {key} = "sentinel"\n  [runners.docker]\n    image = "debian:bookworm"\n'
    for name in ("web", "x", "sudo"):
        _, found = data_of(
            site(DEFAULTS + entry(name, TOKEN, text), daemon={key: "sentinel-2"}, started=1000)
        )
        names = {one for one in found.references.secrets if one != "RUNNER_TOKEN"}
        kinds = ("RUNNERKIT_RUNNER_", "RUNNERKIT_DOCKER_", "RUNNERKIT_MANAGER_")
        assert all(one.startswith(kinds) for one in names), names


def test_a_variable_that_holds_something_else_here_is_not_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RUNNER_TOKEN", "glrt-of-another-gitlab")
    data, _ = data_of(site(DEFAULTS + entry("web", TOKEN)))
    assert data["runners"]["web"]["token"] == {"env": "RUNNER_TOKEN_2"}
    monkeypatch.setenv("RUNNER_TOKEN", TOKEN)
    data, _ = data_of(site(DEFAULTS + entry("web", TOKEN)))
    assert data["runners"]["web"]["token"] == {"env": "RUNNER_TOKEN"}


def test_one_hosts_schedule_names_no_image_for_another() -> None:
    wanted = want(prune={"schedule": "daily"}, docker={"registry_image": "evil/registry:2"})
    have = converged()
    files = {
        path: File(one.text.encode(), one.mode, 1)
        for path, one in prune_timer._files(wanted, have).items()
    }
    files[prune_timer.ENABLED] = files[prune_timer.TIMER]
    hostile = site(have=replace(have, files={**have.files, **files}))
    found = propose([hostile, site(name="ci2")])
    assert "evil" not in json.dumps(found.data)
    assert any("schedule" in gap.what for gap in found.gaps)


def test_no_word_of_a_host_ends_its_line() -> None:
    references = References()
    name = references.name(Secret("x"), BREAKS, BREAKS)
    data = {
        "gitlab": {"url": BREAKS},
        "runners": {BREAKS: {"token": references.filed(Secret("x"), "P", BREAKS), BREAKS: BREAKS}},
    }
    text = document.text(data, references, {"left": [Gap(BREAKS, host=BREAKS)]})
    assert tomllib.loads(text) == data
    assert name.isidentifier()
    assert not {*text} & {"\x1b", "\x07", "\r"}


def test_half_a_letter_is_no_setting() -> None:
    have = converged()
    broken = File(b'{"log-opts": {"tag": "\\ud800", "\\ud801": "x"}, "dns": ["\\ud802"]}', 0o644, 1)
    one = site(have=replace(have, files={**have.files, daemon_json.PATH: broken}))
    document.text((found := propose([one])).data, found.references, {"": found.gaps}).encode()


def test_mistakes_without_end_have_one() -> None:
    text = '\n  executor = "docker"\n  [runners.docker]\n    image = "NO IMAGE"\n'
    wrong = "".join(entry(f"r{number}", f"glrt-{number:020}", text) for number in range(MOST + 9))
    with pytest.raises(KitError, match="no settings can be written"):
        propose([site(DEFAULTS + wrong)])
