"""The command line of the stand-in runner, traps included."""

import pytest

from sandbox.runner import log
from sandbox.runner.commands import flags, options

REGISTER = options.REGISTER


def parse(*arguments: str, **environment: str) -> dict[str, object]:
    found = flags.parse(REGISTER, arguments, environment)
    return {".".join(path): value for path, value in found.items()}


def test_no_two_options_share_a_name_or_a_variable() -> None:
    names = [name for flag in REGISTER for name in flag.names]
    variables = [flag.env for flag in REGISTER if flag.env]
    assert len(set(names)) == len(names)
    assert len(set(variables)) == len(variables)


def test_values_come_after_a_space_or_an_equals_sign_and_one_dash_will_do() -> None:
    assert parse("--url", "u", "-token=t", "-n", "--limit=3") == {
        "url": "u",
        "token": "t",
        "interactive_off": True,
        "limit": 3,
    }


def test_a_boolean_followed_by_a_word_ends_the_options() -> None:
    assert parse("--locked", "false", "--limit", "3") == {"locked": True}
    assert parse("--locked=false", "--limit", "3") == {"locked": False, "limit": 3}


def test_the_command_line_wins_over_the_environment() -> None:
    assert parse("--executor", "docker", RUNNER_EXECUTOR="shell") == {"executor": "docker"}


def test_an_empty_variable_sets_a_boolean_and_nothing_else() -> None:
    assert parse(REGISTER_PAUSED="", CI_SERVER_URL="") == {"paused": True}


def test_lists_repeat_but_a_variable_is_one_element() -> None:
    assert parse("--docker-volumes", "/a", "--docker-volumes", "/b,/c") == {
        "docker.volumes": ["/a", "/b,/c"]
    }
    assert parse(DOCKER_VOLUMES="/a,/b") == {"docker.volumes": ["/a,/b"]}


def test_only_the_pull_policy_splits_at_commas() -> None:
    assert parse(DOCKER_PULL_POLICY="if-not-present,always") == {
        "docker.pull_policy": ["if-not-present", "always"]
    }


@pytest.mark.parametrize(
    ("flag", "variable", "path"),
    [
        ("--docker-image", "DOCKER_IMAGE", "docker.image"),
        ("--docker-host", "DOCKER_HOST", "docker.host"),
        ("--docker-helper-image", "DOCKER_HELPER_IMAGE", "docker.helper_image"),
        ("--template-config", "TEMPLATE_CONFIG_FILE", "template"),
        ("--description", "RUNNER_NAME", "name"),
        ("--registration-token", "REGISTRATION_TOKEN", "registration_token"),
        ("--tls-ca-file", "CI_SERVER_TLS_CA_FILE", "tls-ca-file"),
        ("--builds-dir", "RUNNER_BUILDS_DIR", "builds_dir"),
    ],
)
def test_a_flag_and_its_variable_set_the_same(flag: str, variable: str, path: str) -> None:
    by_flag, by_variable = parse(flag, "x"), parse(**{variable: "x"})
    assert by_flag == by_variable
    assert by_flag == {path: "x"}


def test_maps_are_written_with_a_colon() -> None:
    assert parse("--feature-flags", "FF_A:true", "--feature-flags", "FF_B:false") == {
        "feature_flags": {"FF_A": True, "FF_B": False}
    }


@pytest.mark.parametrize("arguments", [["--nosuch"], ["--url"], ["--limit", "x"], ["--paused=x"]])
def test_what_cannot_be_understood_is_refused(arguments: list[str]) -> None:
    with pytest.raises(flags.Usage):
        parse(*arguments)


@pytest.mark.parametrize(
    ("token", "short"),
    [
        ("glrt-abcdefghijklmnop", "abcdefghi"),
        ("OldToken0123456789", "OldToken"),
        ("short", "short"),
    ],
)
def test_a_token_is_logged_in_its_short_form(token: str, short: str) -> None:
    assert log.short(token) == short


def test_a_log_line_is_padded_and_its_fields_are_sorted() -> None:
    line = log.render("error", "Verifying runner... failed", {"status": "x", "runner": "abc"})
    red, reset = "\033[31;1m", "\033[0;m"
    padded = f"{'Verifying runner... failed':<43}"
    assert line == f"{red}ERROR: {padded}{reset}  {red}runner{reset}=abc {red}status{reset}=x"
