"""A token that gives way: which hosts get one, who gives it, and what is written."""

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from runnerkit import converge
from runnerkit.actions.rotate import Rotate
from runnerkit.errors import KitError, NotConverged
from runnerkit.facts import Facts, File, ServerManager
from runnerkit.files import drained, memory
from runnerkit.fleet.host import Host
from runnerkit.fleet.tokens import new_tokens, rotate, rotations, sources, turns
from runnerkit.fleet.tokens.turns import Held, Turn
from runnerkit.gitlab import runner_token, server
from runnerkit.plan import Change, Script
from runnerkit.settings.secrets import Secret, Source
from runnerkit.want import WantedRunner
from tests.unit.build import CONFIG, GOOD, TOKEN, URL, converged, want
from tests.unit.remembering import ours, remembered

NEW = "glrt-new0000000000000000"


def runner(token: str | None = NEW, source: Source | None = None) -> WantedRunner:
    (one,) = want().runners
    from msgspec.structs import replace as with_

    spec = with_(one.spec, token=source) if source else one.spec
    return replace(one, spec=spec, token=Secret(token) if token else None)


def planned(have: Facts, renews: bool = False, token: str = NEW, number: int = 7) -> list[Change]:
    one = runner(TOKEN if renews else token)
    step = Rotate(one, Secret(TOKEN), renews, 0 if renews else number)
    return converge.plan(replace(ours(), runners=(one,)), have, [step])


def ran(
    tmp_path: Path, change: Change, config: str, words: str
) -> "subprocess.CompletedProcess[str]":
    """The change on a host whose docker says these words."""
    assert isinstance(change, Script)
    (tmp_path / "config.toml").write_text(config)
    docker = tmp_path / "docker"
    docker.write_text(
        f"#!/bin/sh\ncase $* in *\"-i --security-opt\"*) cat >/dev/null; printf %s '{words}';; esac\n"
    )
    docker.chmod(0o755)
    text = change.text.replace("/srv/gitlab-runner/config", str(tmp_path))
    return subprocess.run(
        ["sh"], input=f"TOKEN={NEW}\n{text}", text=True, capture_output=True, check=False,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )  # fmt: skip


def told(number: int = 7) -> str:
    """What the program says, with a table that has a token too."""
    return (
        f'noise\n[written]\n[[runners]]\n  name = "x"\n  id = {number}\n  token = "{NEW}"\n'
        "  token_obtained_at = 2026-01-01T00:00:00Z\n  token_expires_at = 0001-01-01T00:00:00Z\n"
        '  [runners.autoscaler]\n    token = "another"\n    id = 1\n'
    )


DATES = (
    "  token_obtained_at = 2026-01-01T00:00:00Z\n",
    "  token_expires_at = 0001-01-01T00:00:00Z\n",
)


@pytest.mark.parametrize("renews", [True, False])
def test_nothing_but_the_token_and_its_dates_changes(tmp_path: Path, renews: bool) -> None:
    twin = GOOD.partition("\n\n")[2].replace(TOKEN, "glrt-twin").replace("id = 7", "id = 8 # ours")
    config = f"# mine\n{twin}\n{GOOD}"
    (change,) = planned(converged(config), renews)
    assert ran(tmp_path, change, config, told()).returncode == 0
    expected = config.replace(f'  token = "{TOKEN}"\n', f'  token = "{NEW}"\n' + "".join(DATES))
    if not renews:  # registering tells the id as well, at the token
        expected = config.replace("  id = 7\n", "").replace(
            f'  token = "{TOKEN}"\n', f'  id = 7\n  token = "{NEW}"\n' + "".join(DATES)
        )
    assert (tmp_path / "config.toml").read_text() == expected
    assert [one.name for one in tmp_path.iterdir() if "config" in one.name] == ["config.toml"]


def test_another_runner_s_token_is_not_taken(tmp_path: Path) -> None:
    """A host that was taken over could hand on a token of its own runner."""
    (change,) = planned(converged())
    done = ran(tmp_path, change, GOOD, told(666))
    assert done.returncode == 1
    assert "the new token is runner #666's, and the entry is #7's" in done.stderr
    assert (tmp_path / "config.toml").read_text() == GOOD
    assert NEW not in done.stderr + done.stdout


def test_what_a_cut_off_run_left_goes_and_the_memory_knows_the_new_token() -> None:
    before = remembered(converged(), ours(), "web")
    files = {**before.files, CONFIG: File(GOOD.replace(TOKEN, NEW).encode(), 0o600, 1)}
    files[f"{CONFIG}.previous"] = File(GOOD.encode(), 0o600, 1)
    have = replace(before, files=files)
    first, second = planned(have)
    assert first.title == f"remove {CONFIG}.previous, which has the former token"
    assert second.title == "remember the new token by its digest"
    assert isinstance(second, Script)
    assert memory.digest(have, NEW) in _content(second)
    assert memory.digest(have, TOKEN) not in _content(second)


def _content(change: Script) -> str:
    from base64 import b64decode

    text = change.text.partition("<<'NEW'\n")[2].partition("\nNEW")[0]
    return b64decode(text).decode()


def held(token: str = TOKEN, **changes: object) -> Held:
    one = Held(
        runner(token, Source(env="RUNNER_TOKEN")),
        "ci1-web",
        0,
        Secret(token),
        7,
        None,
        "",
        "",
        True,
    )
    return replace(one, **changes)  # type: ignore[arg-type]


def of(
    monkeypatch: pytest.MonkeyPatch, valid: Mapping[str, bool | None], **hosts: Held
) -> turns.Turns:
    monkeypatch.setattr(runner_token, "accepts", lambda _, token, ca: valid.get(token.reveal()))
    return turns.planned(URL, {host: [one] for host, one in hosts.items()}, None, 0, "")


def test_hosts_that_share_a_token_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    found = of(monkeypatch, {TOKEN: True}, a=held(), b=held())
    assert [(one.way, [*one.hosts]) for one in found.turns] == [("renew", ["a", "b"])]


@pytest.mark.parametrize("known", [True, None])
def test_a_host_that_was_left_behind_gets_the_token_of_the_others(
    monkeypatch: pytest.MonkeyPatch, known: bool | None
) -> None:
    """Told by GitLab, or by the managers where it cannot be reached from here."""
    behind, valid = held(accepted=False), {NEW: known, TOKEN: None if known is None else False}
    found = of(monkeypatch, valid, a=held(NEW), b=behind, c=held(NEW))
    (turn,) = found.turns
    assert (turn.way, [*turn.hosts], turn.token) == ("spread", ["b"], Secret(NEW))


def test_a_token_that_has_ended_does_not_renew_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    found = of(monkeypatch, {TOKEN: False}, a=held(), b=held())
    assert found.turns == ()
    assert {*found.errors} == {"a", "b"}
    assert "which cannot renew itself then" in found.errors["a"].what


def test_which_of_two_good_tokens_a_host_shall_have_is_not_guessed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = of(
        monkeypatch,
        {TOKEN: True, NEW: True, "glrt-void": False},
        a=held(),
        b=held(NEW),
        c=held("glrt-void"),
    )
    assert [(one.way, [*one.hosts]) for one in found.turns] == [("renew", ["a"]), ("renew", ["b"])]
    assert {*found.errors} == {"c"}


def test_a_reset_that_is_on_its_way_is_known_until_a_host_has_the_token(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(rotations, "state", lambda: tmp_path)
    rotations.begin(URL, Secret(TOKEN), 12)
    rotations.begin(URL, Secret(NEW), 12)
    assert rotations.begun(URL, Secret(TOKEN)) == 12
    assert rotations.begun("https://other", Secret(TOKEN)) is None
    assert TOKEN not in str([(one.name, one.read_text()) for one in tmp_path.rglob("*-*")])
    rotations.end(URL, 1)
    assert rotations.begun(URL, Secret(NEW)) == 12
    rotations.end(URL, 12)
    assert [*tmp_path.rglob("*-*")] == []


def test_a_reset_that_cannot_be_noted_is_not_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(rotations, "state", lambda: tmp_path / "file")
    with pytest.raises(KitError, match="no token was changed"):
        rotations.begin(URL, Secret(TOKEN), 12)


def left(source: Source, write: bool) -> list[tuple[str, str, str]]:
    one = Turn(runner(TOKEN, source), "renew", {"ci1": held()}, token=Secret(NEW))
    return [*sources.left([one], write)]


def test_the_settings_source_gets_the_new_token_or_the_user_is_told(tmp_path: Path) -> None:
    (file := tmp_path / "token").write_text(f"{TOKEN}\n")
    ((where, what, how),) = left(Source(file=str(file)), write=False)
    assert (where, "--write" in how) == ("this machine", True)
    assert "still gives the former token of runner web" in what
    assert left(Source(file=str(file)), write=True) == []
    assert (file.read_text(), file.stat().st_mode & 0o777) == (f"{NEW}\n", 0o600)
    assert [*tmp_path.iterdir()] == [file]
    ((_, _, how),) = left(Source(env="RUNNER_TOKEN"), write=True)
    assert how == "the new one is the token of [[runners]] ci1-web in config.toml on ci1"
    ((_, what, _),) = left(Source(file=str(tmp_path)), write=True)
    assert "it is no file" in what


def test_a_runner_that_stands_there_twice_has_one_token_in_both(tmp_path: Path) -> None:
    config = GOOD + GOOD.partition("\n\n")[2]
    (change,) = planned(converged(config), renews=True)
    assert ran(tmp_path, change, config, told()).returncode == 0
    assert (tmp_path / "config.toml").read_text().count(NEW) == 2


OTHERS_NAME = GOOD.replace('"ci1-web"', '"as somebody called it"')
TWIN = (
    GOOD.partition("\n\n")[2].replace(TOKEN, "glrt-twin000000000000000").replace("id = 7", "id = 8")
)


@pytest.mark.parametrize("config", [OTHERS_NAME, GOOD.replace("[[runners", f"{TWIN}\n[[runners")])
def test_a_renewed_token_s_entry_is_known_by_the_memory(config: str) -> None:
    """Whatever its name is: another one than the settings have, or one that a twin has."""
    have = remembered(converged(config), ours(), "web")
    assert converge.plan(ours(), have) == []
    files = {**have.files, CONFIG: File(config.replace(TOKEN, NEW).encode(), 0o600, 1)}
    renewed = replace(have, files=files, tokens={"web": False})
    (change,) = planned(renewed)
    assert isinstance(change, Script)
    text = _content(change).encode()
    renewed = replace(renewed, files={**files, memory.PATH: File(text, 0o600, 1)})
    assert converge.plan(ours(), renewed) == []


@pytest.mark.parametrize("drained_", [True, False])
def test_an_autoscaler_s_manager_is_drained_first_and_started_unless_somebody_drained_it(
    drained_: bool,
) -> None:
    have = converged(GOOD + '  [runners.autoscaler]\n    plugin = "aws"\n')
    files = {**have.files, **({drained.PATH: File(b"{}", 0o600, 1)} if drained_ else {})}
    (change,) = planned(replace(have, files=files), renews=True)
    assert isinstance(change, Script)
    assert change.text.index("docker stop") < change.text.index("reset-token")
    assert ("\ndocker start gitlab-runner >/dev/null" in change.text) == (not drained_)


def test_a_manager_that_is_on_none_of_the_hosts_is_told() -> None:
    class Api:
        def managers(self, number: int) -> list[ServerManager]:
            known = {"r_here": "online", "r_gone": "offline", "r_else": "online"}
            return [ServerManager(each, status, "", "10.0.0.9") for each, status in known.items()]

    turn = Turn(runner(), "reset", {"ci1": held(system_id="r_here")}, 7)
    found = [*rotate._strangers(cast("server.Server", Api()), turns.Turns((turn,), {}))]
    assert [what.split(" is ")[0] for _, what, _ in found] == ["manager r_else 10.0.0.9"]


def test_who_writes_the_file_at_the_same_time_does_not_cost_the_new_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For example the manager, which renews a token at three quarters of its time."""
    tries: list[KitError | Facts] = [
        NotConverged(["give"]),
        KitError("config.toml: changed meanwhile"),
        converged(),
    ]

    def apply(*_: object) -> Facts:
        if isinstance(one := tries.pop(0), KitError):
            raise one
        return one

    monkeypatch.setattr(converge, "apply", apply)
    step = Rotate(runner(), Secret(TOKEN))
    assert new_tokens._apply(cast("Host", None), want(), step).files
    tries = [KitError("another failure"), converged()]
    with pytest.raises(KitError, match="another failure"):
        new_tokens._apply(cast("Host", None), want(), step)
