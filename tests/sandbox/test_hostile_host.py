"""What a host says of itself moves no other host's runner."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from runnerkit import converge
from runnerkit.errors import KitError
from runnerkit.facts import Facts, File
from runnerkit.files import config_toml
from runnerkit.fleet.host import Host
from runnerkit.plan import ServerCall
from runnerkit.settings.secrets import Secret
from runnerkit.want import Want
from sandbox.gitlab.http.server import Server as Mini
from tests.sandbox.gitlab_client import API_TOKEN, running
from tests.unit.build import CONFIG, converged, want

SYSTEM = "/srv/gitlab-runner/config/.runner_system_id"
THEIRS = {"runner_type": "instance_type", "description": "ci1-web", "maintenance_note": ""}


def host(key: str = "") -> Host:
    return Host(cast(Any, SimpleNamespace(key=key)), Secret(API_TOKEN), lambda _: None)


def wanted(url: str, **web: Any) -> Want:
    api = {"url": url, "api_token": {"env": "X"}}
    return want(token=None, gitlab=api, runners={"web": {"tags": ["mine"], **web}})


def entry(url: str, number: object, token: str, system: str = "s_0123456789ab") -> Facts:
    text = f'[[runners]]\nname = "ci1-web"\nurl = "{url}"\nid = {number}\ntoken = "{token}"\n'
    files = {CONFIG: File(text.encode(), 0o600, 1), SYSTEM: File(system.encode(), 0o600, 1)}
    return converged(files=files)


def changed(mini: Mini, have: Facts, **web: Any) -> list[int]:
    """The runners that a plan would change, in the run of a kit with an API token."""
    asked = wanted(mini.state.url, **web)
    have = host("k").server(asked, have)
    return [one.id for one in converge.plan(asked, have) if isinstance(one, ServerCall)]


@pytest.mark.parametrize("number", ["1", '"1"', '"1/../1"', "1.0", "[1]", "true", "-1", "99999"])
def test_an_id_from_a_host_is_never_believed(number: str) -> None:
    with running() as there:
        mini = there.server
        theirs, ours = (mini.state.new_runner("instance_type", t) for t in ("glrt-a", "glrt-b"))
        mini.state.runners |= {theirs.id: theirs, ours.id: ours}
        have = entry(mini.state.url, number.replace("1", str(theirs.id)), ours.token)
        assert changed(mini, have) == [ours.id]


@pytest.mark.parametrize(
    ("token", "system"),
    [
        ("glrt-nobodys", "s_0123456789ab"),
        ("", "s_0123456789ab"),
        ("glrt-b", ""),
        ("glrt-b", "s_x\nr_0123456789ab"),
        ("glrt-b\\u2028", "s_0123456789ab"),
    ],
)
def test_a_runner_that_gitlab_does_not_tell_is_noted_and_left(token: str, system: str) -> None:
    with running() as there:
        mini = there.server
        theirs = mini.state.new_runner("instance_type", "glrt-b")
        mini.state.runners[theirs.id] = theirs
        have = entry(mini.state.url, theirs.id, token, system)
        assert changed(mini, have) == []
        have = host("k").server(asked := wanted(mini.state.url), have)
        found = [one.code for check in converge.CHECKS for one in check.findings(asked, have)]
        assert "runner-unseen" in found
        assert not theirs.managers


def test_a_token_of_another_runner_than_the_settings_name_moves_nothing() -> None:
    with running() as there:
        mini = there.server
        theirs = mini.state.new_runner("instance_type", "glrt-b")
        mini.state.runners[theirs.id] = theirs
        asked = want(token="glrt-mine", gitlab={"url": mini.state.url, "api_token": {"env": "X"}})
        have = entry(mini.state.url, theirs.id, theirs.token)
        assert host().server(asked, have).server == {}


def test_a_host_that_calls_itself_another_takes_over_nothing() -> None:
    """It says the hostname and the machine-id; the key of the other's sshd it has not."""
    with running() as there:
        mini = there.server
        asked, victim = wanted(mini.state.url), Facts("ci1", id="the other's", key="key-of-ci1")
        theirs = mini.state.new_runner("instance_type", "glrt-b")
        theirs.description = asked.runners[0].name("ci1")
        theirs.maintenance_note = asked.runners[0].note(victim.identity)
        mini.state.runners[theirs.id] = theirs
        claims = converged(files={}, id="the other's")
        assert host("key-of-liar").server(asked, claims).server == {}
        assert host("key-of-ci1").server(asked, claims).server["web"].id == theirs.id


@pytest.mark.parametrize(
    "text",
    ["runners = 1", "runners = [1]", "[runners]\nx = 1", "[[runners]]\nurl = 1",
     "[[runners]]\ntoken = []", "[[runners]]\nname = {}"],
)  # fmt: skip
def test_entries_of_another_shape_are_an_error_in_words(text: str) -> None:
    have = converged(files={CONFIG: File(text.encode(), 0o600, 1)})
    with pytest.raises(KitError, match=r"config\.toml on the host is none of gitlab-runner's"):
        config_toml.parsed(want(), have)
