"""Mistakes in the settings and in what is typed: told before any host is touched."""

from pathlib import Path

import pytest

from sandbox.world import BlankHost, World
from tests.hosts.kit import Kit
from tests.hosts.refusals import assert_error


@pytest.fixture
def ready(kit: Kit, world: World) -> Kit:
    """Settings without a mistake, of a host that is never asked."""
    kit.settings(BlankHost("badbox", world.net.address(250), "docker", world.state / "id_ed25519"))
    return kit


SETTINGS = {
    "not TOML": ("[gitlab]\nurl = = 1\n", ["runnerkit.toml", "line 2"], "correct that line"),
    "several mistakes": (
        '[gitlab]\nurl = "http://g"\napi_tokn = 1\n[dokcer]\n[runners.web]\nimage = "x"\ntag = ["a"]\n'
        '[hosts.ci1]\nadress = "x"\n',
        ["5 mistakes", "dokcer: unknown key (did you mean 'docker'?)",
         "gitlab.api_tokn: unknown key (did you mean 'api_token'?)",
         "runners.web.tag: unknown key (did you mean 'tags'?)",
         "hosts.ci1.adress: unknown key (did you mean 'address'?)", "hosts.ci1.address: missing"],
        "no host was touched",
    ),
    "URL without scheme": (
        '[gitlab]\nurl = "gitlab.example.com"\n',
        ["gitlab.url: 'gitlab.example.com' is not a URL", "http:// or https://"], "correct",
    ),
    "a token in clear": (
        '[gitlab]\nurl = "http://g"\napi_token = "sesame"\n', ["gitlab.api_token"], "correct",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", SETTINGS)
@pytest.mark.parametrize("task", ["plan", "bootstrap"])
def test_settings_with_mistakes(kit: Kit, what: str, task: str) -> None:
    text, output, fix = SETTINGS[what]
    kit.env["SECRET"] = "sesame"
    (kit.folder / "runnerkit.toml").write_text(text)
    assert_error(kit, kit.run(task, "--host", "all"), *output, fix=fix)


COMMANDS: dict[str, tuple[list[str], str, str]] = {
    "a glob that fits nothing": (["--host", "zz*"], "--host zz* fits no [hosts]", "name one"),
    "a name that is nearly one": (["--host", "badbx"], "did you mean 'badbox'?", "correct it"),
    "no host": ([], "no host is named", "--host"),
    "URL without scheme": (
        ["--host", "all", "--url", "gitlab.example.com"],
        "is not a URL",
        "correct",
    ),
}


@pytest.mark.parametrize("what", COMMANDS)
def test_a_command_with_mistakes(ready: Kit, what: str) -> None:
    words, output, fix = COMMANDS[what]
    assert_error(ready, ready.run("bootstrap", *words), output, fix=fix)


def test_an_option_that_is_none_is_bad_usage(ready: Kit) -> None:
    ran = ready.run("bootstrap", "--hots", "all")
    assert ran.code not in (0, 2), "2 is for changes that are pending"
    assert "--hots" in ran.err


def test_settings_that_are_not_there(kit: Kit, tmp_path: Path) -> None:
    kit.env["RUNNERKIT_SETTINGS"] = str(tmp_path / "none.toml")
    assert_error(
        kit, kit.run("plan", "--host", "all"), "none.toml: no such file", fix="RUNNERKIT_SETTINGS"
    )


def test_init_never_overwrites(kit: Kit) -> None:
    file = kit.folder / "runnerkit.toml"
    assert kit.run("init").code == 0
    assert "[gitlab]" in file.read_text()
    file.write_text("# mine\n")
    assert_error(kit, kit.run("init"), "runnerkit.toml is there already", fix="move it away")
    assert file.read_text() == "# mine\n"
