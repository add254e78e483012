"""A settings file is right, or every mistake in it is told at once."""

import re
from pathlib import Path

import pytest

from runnerkit import converge
from runnerkit.errors import KitError
from runnerkit.place import ROOT
from runnerkit.resolve import of_host
from runnerkit.settings import command_line, starter
from runnerkit.settings.load import load
from runnerkit.settings.model import Settings
from runnerkit.settings.secrets import Secret
from runnerkit.settings.targets import choose
from runnerkit.settings.tokens import check
from tests.unit.build import converged

HOSTS = '[gitlab]\nurl="http://g"\n[runners.a]\nimage="x"\n[runners.b]\nimage="x"\n[hosts.ci1]\naddress="a@h1"\nrunners=["b"]\n[hosts.ci2]\naddress="h2:22"\n'


def read(text: str, tmp_path: Path) -> Settings:
    file = tmp_path / "runnerkit.toml"
    file.write_text(text)
    return load(file)


def mistakes(text: str, tmp_path: Path) -> str:
    with pytest.raises(KitError) as caught:
        read(text, tmp_path)
    return str(caught.value.what)


def test_all_mistakes_are_told_at_once_with_path_and_nearest_name(tmp_path: Path) -> None:
    text = '[gitlab]\nurl="gitlab.com"\napi_tokn=1\n[docker]\nsource="distr"\n[images.a]\n[runners.w]\ntags="t"\n'
    output = mistakes(text, tmp_path)
    for part in (
        "6 mistakes",
        "gitlab.url: 'gitlab.com' is not a URL",
        "gitlab.api_tokn: unknown key (did you mean 'api_token'?)",
        "docker.source: 'distr' is not one of distro, docker-ce, script, present (did you mean 'distro'?)",
        "images.a.base: missing, and there is no folder dockerfiles/a",
        "runners.w.tags: 't' is not a list",
        "runners.w.image: missing",
    ):
        assert part in output


def test_dangling_names_are_told(tmp_path: Path) -> None:
    output = mistakes(
        '[runners.web]\nimage="Own:1"\n[images.own]\nbase="b"\n[images.none]\n[hosts.h]\naddress="h"\nrunners=["wb"]',
        tmp_path,
    )
    assert "hosts.h.runners: no runner 'wb' (did you mean 'web'?)" in output
    assert "runners.web.image: 'Own:1' is not an image" in output
    assert "images.none.base: missing, and there is no folder dockerfiles/none" in output


@pytest.mark.parametrize(
    "image", ["nb-node", "owm", "own:1", "library/own", "$CI_IMAGE", "a/Own@x$V"]
)
def test_a_name_that_is_nearly_one_of_ours_is_taken_as_it_is(tmp_path: Path, image: str) -> None:
    text = f'[runners.web]\nimage="{image}"\n[images.own]\nbase="b"'
    assert read(text, tmp_path).runners["web"].image == image


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("[docker.daemon]\na.b=[1, {c=2026-01-01}]", "docker.daemon.a.b[1].c: JSON has no dates"),
        ("[docker.daemon]\na=07:32:00", "docker.daemon.a: JSON has no dates"),
        ("[docker.daemon]\na=inf", "docker.daemon.a: inf is no number"),
        ("[docker]\ndaemon.a.b=-nan", "docker.daemon.a.b: nan is no number"),
        ("[manager.settings]\na=nan", "manager.settings.a: nan is no number"),
        ('[runners.web]\nimage="b"\ndocker.a=[inf]', "runners.web.docker.a[0]: inf is no number"),
        ("[manager.settings]\na=9223372036854775808", "manager.settings.a: 9223372036854775808 is"),
        ('[manager.environment]\nA="x\\ny"', "manager.environment.A: has the control character U+000A"),
        ('[manager.environment]\nA="x\\n"', "manager.environment.A: has the control character U+000A"),
        ('[manager.environment]\n"A B"="x"', "manager.environment.A B: 'A B' is not the name of a variable"),
        ('[manager.environment]\n"#A"="x"', "manager.environment.#A: '#A' is not the name of a variable"),
        ("[manager.environment]\nA=1", "manager.environment.A: 1 is not a text of one line"),
        ("[images.a]\nbase='b'\nlabels.b=1", "images.a.labels.b: 1 is not a text"),
        ('[manager]\nimage="gitlab/Runner"', "manager.image: 'gitlab/Runner' is not an image"),
        ('[images.a]\nbase="b:-"', "images.a.base: 'b:-' is not an image"),
        ('[gitlab]\nurl="https://g:99999"', "gitlab.url: its port is no number from 1 to 65535"),
        ('[gitlab]\nurl="https://g:0"', "gitlab.url: its port is no number"),
        ('[gitlab]\nurl="https://[::1"', "gitlab.url: there is no name or address of a host in it"),
        ('[gitlab]\nurl="https://g..example.com"', "gitlab.url: there is no name"),
        ('[docker]\nregistry_mirrors=["https://m","https://a b"]', "docker.registry_mirrors[1]: there is no name"),
        ('[docker]\npackage_mirror="https://m:x"', "docker.package_mirror: its port is no number"),
        ("[docker]\ndaemon.registry-mirrors='https://m'", "docker.daemon.registry-mirrors: no list of URLs"),
        ("[docker]\ndaemon.registry-mirrors=[5]", "docker.daemon.registry-mirrors: no list of URLs"),
        (f"[manager]\nstop_timeout='{'9' * 400}h'", "999… is not a time: a number of seconds"),
        (f"[manager]\nstop_timeout='{'9' * 5000}'", "999… is not a time: a number of seconds"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_written_is_told_with_its_path(
    tmp_path: Path, text: str, mistake: str
) -> None:
    output = mistakes(text, tmp_path)
    assert "1 mistake\n" in output
    assert mistake in output


@pytest.mark.parametrize(
    "url",
    ["http://g", "https://g.example.com:8443/gitlab/", "https://[2001:db8::1]:443", "https://GIT_lab.bücher.example"],
)  # fmt: skip
def test_an_address_that_may_be_is_taken(tmp_path: Path, url: str) -> None:
    assert read(f'[gitlab]\nurl="{url}"', tmp_path).gitlab.url == url


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (f"a={'[' * 5000}", "more than 50 deep"),
        (f"[docker.daemon]\na={'[' * 60}{']' * 60}", "more than 50 deep"),
        (f"[docker.daemon]\n{'.'.join('a' * 2000)}=1", "more than 50 deep"),
        (f"[manager]\nconcurrent={'9' * 5000}", "a number of thousands of digits"),
        (
            '[gitlab]\napi_token={command=["a\\u0000"]}',
            "gitlab.api_token: a secret is never written here",
        ),
    ],
)
def test_what_no_reader_takes_is_told_in_words(tmp_path: Path, text: str, mistake: str) -> None:
    assert mistake in mistakes(text, tmp_path)


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    assert read('\ufeff[gitlab]\nurl="http://g"', tmp_path).gitlab.url == "http://g"


def test_dates_may_be_in_config_toml(tmp_path: Path) -> None:
    assert read("[manager.settings]\na=2026-01-01T00:00:00Z", tmp_path).manager.settings


@pytest.mark.parametrize(
    ("hosts", "refused"),
    [
        ("", True),
        ('[hosts.h]\naddress="h"', True),
        ('[hosts.h]\naddress="h"\nrunners=["a"]\n[hosts.i]\naddress="i"\nrunners=["b"]', False),
    ],
)
def test_two_runners_of_one_name_on_one_host_are_refused(
    tmp_path: Path, hosts: str, refused: bool
) -> None:
    text = f'[gitlab]\nurl="http://g"\n[runners]\na={{name="n",image="i"}}\nb={{name="n",image="i"}}\n{hosts}\n'
    if refused:
        assert "runners.b.name: 'n', as runners.a on the same host" in mistakes(text, tmp_path)  # fmt: skip
        return
    assert of_host(read(text, tmp_path), "h").runners
    both = of_host(read(text, tmp_path), "of no settings")
    with pytest.raises(KitError, match="two runners of the settings would both be 'n'"):
        converge.plan(both, converged())


def test_a_folder_is_named_as_docker_will_name_it(tmp_path: Path) -> None:
    assert "manager.config_dir: '/srv/gr/' is not" in mistakes(
        '[manager]\nconfig_dir = "/srv/gr/"', tmp_path
    )


def test_invalid_toml_is_told_with_its_line(tmp_path: Path) -> None:
    assert "line 2" in mistakes("a = 1\nb = = 2", tmp_path)


def test_a_token_in_clear_is_refused(tmp_path: Path) -> None:
    output = mistakes('[gitlab]\napi_token = "glpat-x"', tmp_path)
    assert "gitlab.api_token: a secret is never written here" in output
    assert "glpat" not in output


def test_the_starter_file_is_valid_and_never_overwrites(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "runnerkit.toml"
    assert "wrote" in starter.write(file)
    monkeypatch.setenv("RUNNER_TOKEN", "glrt-x")
    assert of_host(load(file), "ci1").runners[0].image == "web-tools:latest"
    with pytest.raises(KitError, match="there already"):
        starter.write(file)


def test_every_commented_line_of_the_starter_is_valid_too(tmp_path: Path) -> None:
    text = (ROOT / "templates/runnerkit.toml").read_text()
    lines = [re.sub(r"^# (?=[a-z_.]+ = [\[{\"\d\w])", "", line) for line in text.splitlines()]
    assert read("\n".join(lines), tmp_path).runners["web"].settings == {"limit": 4}


def test_hosts_are_chosen_by_name_glob_address_and_all(tmp_path: Path) -> None:
    known = read(HOSTS, tmp_path)
    assert [t.name for t in choose("ci*", known)] == ["ci1", "ci2"]
    assert [t.address for t in choose("all,root@h9:2222,ci1", known)] == [
        "a@h1",
        "h2:22",
        "root@h9:2222",
    ]
    assert [t.address for t in choose("c1", known, lambda _: True)] == ["c1"]
    with pytest.raises(KitError, match=r"no alias of ssh's.*did you mean 'ci1'"):
        choose("c1", known, lambda _: False)
    with pytest.raises(KitError, match="fits no"):
        choose("x*", known)
    with pytest.raises(KitError, match="no host"):
        choose(" , ", known)


def test_a_host_gets_the_runners_it_names(tmp_path: Path) -> None:
    known = read(HOSTS, tmp_path)
    assert [r.key for r in of_host(known, "ci1").runners] == ["b"]
    assert [r.key for r in of_host(known, "elsewhere").runners] == ["a", "b"]


def test_two_runners_of_one_token_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A", "glrt-one")
    text = '[gitlab]\nurl="http://g"\n[runners]\n'
    text += 'a={image="i",token={env="A"}}\nb={image="i",token={env="A"}}\nc={image="i",token={env="C"}}\n'
    with pytest.raises(KitError, match="the runners a and b have one token") as caught:
        of_host(read(text, tmp_path), "ci1")
    assert "glrt" not in str(caught.value)


@pytest.mark.parametrize(
    ("token", "right"),
    [("glpat-abc", "glrt-"), ("GR1348941abc", "glrt-"), ("glrt-abc", "GR1348941")],
)
def test_a_token_of_the_wrong_kind_is_named(token: str, right: str) -> None:
    with pytest.raises(KitError) as caught:
        check(Secret(token), right, "the token")
    assert token not in str(caught.value)


def test_what_is_typed_wins_and_names_the_environment_s_tokens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GITLAB_TOKEN", "glpat-x")
    data = command_line.settings_of(
        {"url": "http://g", "image": "demo", "tags": "a, b", "mirror": "http://m"}
    )
    result = load(command_line=data)
    assert result.runners["default"].tags == ("a", "b")
    assert result.docker.registry_mirrors == ("http://m",)
    assert result.gitlab.api_token is not None


def test_a_secret_never_shows() -> None:
    secret = Secret("glrt-sentinel")
    assert "sentinel" not in f"{secret} {secret!r} {[secret]}"


def test_a_token_in_the_place_of_a_variable_s_name_is_refused_and_not_shown(tmp_path: Path) -> None:
    text = (
        '[gitlab]\nurl="http://g"\n[runners.a]\nimage="x:1"\ntoken={env="glrt-sentinel00000000"}\n'
    )
    output = mistakes(text, tmp_path)
    assert "runners.a.token: a secret is never written here" in output
    assert "sentinel" not in output


def test_a_host_without_an_address_is_a_mistake(tmp_path: Path) -> None:
    assert "hosts.ci1.address: " in mistakes('[hosts]\nci1.address=""\n', tmp_path)
