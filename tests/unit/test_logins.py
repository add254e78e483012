"""Which login of this machine's a host's engine is given: that of a registry the settings name, no other."""

import base64
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from runnerkit.engine import logins, transfer
from runnerkit.errors import KitError
from runnerkit.images.definition import JobImage
from runnerkit.plan import Pull
from runnerkit.settings.load import load
from runnerkit.steps import image_pulls, job_images
from tests.unit.build import blank, want

NAMED = ("registry.example.com", "10.0.0.1:5000", "docker.io")
EXAMPLE, HUB = "https://registry.example.com/v2/", "https://index.docker.io/v1/"


class Engine:
    """One that remembers what it is given, and has nothing."""

    base_url = ""

    def __init__(self, *mirrors: str, error: str = "unauthorized: authentication required") -> None:
        self.mirrors, self.error, self.given = mirrors, error, list[dict[str, Any]]()

    def info(self) -> dict[str, Any]:
        return {"RegistryConfig": {"Mirrors": list(self.mirrors)}}

    def pull(self, *_: Any, auth_config: dict[str, Any], **__: Any) -> Iterator[dict[str, str]]:
        self.given.append(auth_config)
        yield {"error": self.error}

    push = pull


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This machine's logins, and a helper that writes down what it is asked."""
    places = [HUB, EXAMPLE, "10.0.0.1:5000", "other.example.com"]
    places += ["evil", "registry.example.com:443", "localhost:5000", "corp"]
    logged = {
        place: {"auth": base64.b64encode(f"me:{place}".encode()).decode()} for place in places
    }
    (tmp_path / "config.json").write_text(json.dumps({"auths": logged}))
    helper = tmp_path / "docker-credential-noted"
    helper.write_text(
        f'#!/bin/sh\ncat >>{tmp_path}/asked\necho \'{{"Username": "<token>", "Secret": "s"}}\'\n'
    )
    helper.chmod(0o755)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def given(image: str, *mirrors: str, allowed: tuple[str, ...] = NAMED) -> dict[str, Any]:
    """What an engine with these mirrors gets for an image."""
    engine = Engine(*mirrors)
    with suppress(KitError):
        transfer.pull(engine, Pull("", image, (image,), logins=allowed), lambda _: None)  # type: ignore[arg-type]
    (login,) = engine.given
    return login


@pytest.mark.parametrize(
    ("image", "password", "place"),
    [
        ("registry.example.com/team/web:1", EXAMPLE, "registry.example.com"),
        (f"registry.example.com/web@sha256:{'a' * 64}", EXAMPLE, "registry.example.com"),
        ("10.0.0.1:5000/web", "10.0.0.1:5000", "10.0.0.1:5000"),
        ("debian:12", HUB, HUB), ("team/web", HUB, HUB),
        ("docker.io/team/web", HUB, HUB), ("index.docker.io/a/b", HUB, HUB),
        ("registry-1.docker.io/team/web", HUB, "registry-1.docker.io"),
    ],
)  # fmt: skip
def test_a_registry_that_the_settings_name_gets_its_own_login(
    image: str, password: str, place: str
) -> None:
    login = given(image)
    assert (login["username"], login["password"]) == ("me", password)
    assert login["serveraddress"] == place
    assert "email" not in login


@pytest.mark.parametrize(
    "image",
    [
        "other.example.com/web", "registry.example.com:443/web", "registry.example.com:5000/web",
        "registry.example.com.evil/web", "evil.registry.example.com/web", "REGISTRY.example.com/web",
        "10.0.0.1/web", "10.0.0.1:5001/web", "10.0.0.01:5000/web", "localhost:5000/web", "localhost/web",
        "EVIL/web", "DOCKER.IO/team/web", "docker.io:443/team/web", "user@registry.example.com/web",
        "registry.example.com@evil/web", "registry.example.com./web", "https://registry.example.com/web",
        "evil:80/registry.example.com/web", "-x/web", "[::1]:5000/web", "",
    ],
)  # fmt: skip
def test_no_name_that_a_dockerfile_may_hold_gets_another(image: str) -> None:
    assert given(image or ".") == {}


def test_nothing_is_given_where_the_settings_name_nothing() -> None:
    assert all(given(f"{one}/web", allowed=()) == {} for one in (*NAMED, "other.example.com"))


def test_mirrors_do_not_see_the_login_at_docker_hub() -> None:
    mirror = "https://mirror.example.com/"
    assert given("team/web", mirror) == {}
    assert given("registry-1.docker.io/team/web", mirror)["username"] == "me"  # asks no mirror
    assert given("registry.example.com/web", mirror)["username"] == "me"


def test_a_helper_is_asked_for_no_registry_but_those(config: Path) -> None:
    (config / "config.json").write_text(json.dumps({"credsStore": "noted"}))
    assert given("other.example.com/web") == {}
    assert not (config / "asked").exists()
    assert given("registry.example.com/web") == {
        "identitytoken": "s", "serveraddress": "registry.example.com",
    }  # fmt: skip
    assert (config / "asked").read_text().strip() == "registry.example.com"


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"auths": {"registry.example.com": {"auth": "?"}}}', '{"auths": 5}',
     '{"auths": {"registry.example.com": 5}}', '{"credsStore": "missing"}'],
)  # fmt: skip
def test_a_store_of_logins_that_fails_is_as_none(config: Path, text: str) -> None:
    (config / "config.json").write_text(text)
    assert given("registry.example.com/web") == {}


def test_every_pull_of_a_plan_knows_the_registries_of_the_settings_alone() -> None:
    wanted = want(docker={"registry_logins": ["registry.example.com"]})
    job = JobImage("web", "FROM evil.example.com/x", bases=("evil.example.com/x",))
    pulls = [*image_pulls.changes(wanted, blank()), *job_images.pulls([job], wanted, blank())]
    assert len(pulls) == 4
    assert {pull.logins for pull in pulls if isinstance(pull, Pull)} == {("registry.example.com",)}


@pytest.mark.parametrize(
    ("image", "mirrors", "says"),
    [
        ("new.example.com/web", (), 'add "new.example.com" to [docker] registry_logins'),
        ("10.0.0.1:5000/web", (), "check the name"),
        ("team/web", ("https://m",), "registry-1.docker.io/…"),
    ],
)
def test_what_to_add_is_said(image: str, mirrors: tuple[str, ...], says: str) -> None:
    with pytest.raises(KitError) as caught:
        transfer.pull(Engine(*mirrors), Pull("", image, (image,), logins=NAMED), lambda _: None)  # type: ignore[arg-type]
    assert (
        caught.value.fix.startswith(says)
        or f"; {says}" in caught.value.fix
        or says in caught.value.fix
    )
    assert "me:" not in caught.value.what + caught.value.fix


def test_a_push_gets_the_login_of_the_registry_that_was_typed() -> None:
    for name, user in (("other.example.com/web:1", "me"), ("EVIL/web:1", None)):
        engine = Engine()
        with pytest.raises(KitError):
            transfer.push(engine, name, {}, lambda _: None)  # type: ignore[arg-type]
        assert engine.given[0].get("username") == user


@pytest.mark.parametrize(
    "name", ["https://r.example.com", "R.example.com", "r.example.com/team", ""]
)
def test_a_registry_is_named_as_images_name_it(name: str) -> None:
    with pytest.raises(KitError, match="registry_logins"):
        load(command_line={"docker": {"registry_logins": [name]}})


def test_a_login_is_in_no_text_of_what_holds_it() -> None:
    assert "me:" not in repr(logins.Login({"password": "me:"}))
