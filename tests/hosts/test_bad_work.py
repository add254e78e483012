"""What only shows at work: told clearly, without harm, and the next run with right input is whole."""

from collections.abc import Iterator

import pytest

from sandbox.world import BlankHost, World
from tests.hosts.kit import CONFIG, Kit
from tests.hosts.refusals import assert_error, changed, refused


@pytest.fixture(scope="module")
def work(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlankHost]:
    """A runner host, as the tests find and leave it."""
    host = world.host("badwork", "docker")
    result = Kit(world, tmp_path_factory.mktemp("work"))
    result.settings(host)
    result.env["RUNNER_TOKEN"] = WORK["token"] = result.new_token("bad work")
    result.bootstrap()
    yield host
    world.remove("badwork")
    result.gitlab.forget_runners("bad work")


WORK: dict[str, str] = {}


@pytest.fixture
def at_work(kit: Kit, work: BlankHost) -> Kit:
    """Settings that are fulfilled there already."""
    kit.settings(work)
    kit.env["RUNNER_TOKEN"] = WORK["token"]
    return kit


@pytest.mark.parametrize("task", ["plan", "bootstrap"])
def test_a_config_toml_that_is_not_toml(at_work: Kit, work: BlankHost, task: str) -> None:
    do = f"cp -p {CONFIG} /root/\necho 'concurrent = = 1' >>{CONFIG}"
    with changed(at_work, work, do, f"mv /root/config.toml {CONFIG}"):
        output = f"{CONFIG} on the host is not TOML"
        refused(at_work, work, output, fix=f"{CONFIG}.previous", task=task)


def test_an_image_that_is_not_there(at_work: Kit, work: BlankHost) -> None:
    at_work.settings(work, runners={"web": {"image": "debian:nosuch"}})
    mirror = at_work.world.mirror_url
    ran = at_work.run("bootstrap", "--host", "all")
    assert_error(at_work, ran, "cannot pull debian:nosuch", mirror, fix="check the name")
    at_work.settings(work)
    assert at_work.bootstrap().titles == []


def test_an_image_that_does_not_build(at_work: Kit, work: BlankHost) -> None:
    image = "docker image inspect -f '{{.Id}}' tester:latest"
    before = at_work.ssh(work, image)
    at_work.settings(work, images={"tester": {"packages": ["no-such-package"]}})
    ran = at_work.run("bootstrap", "--host", "all")
    output = (
        "tester does not build: E: Unable to locate package no-such-package",
        "images.tester.packages",
    )
    assert_error(at_work, ran, *output, fix="the old image is untouched")
    assert at_work.ssh(work, image) == before
    assert (
        at_work.ssh(work, "docker images -q -f dangling=true; docker ps -aq -f status=exited") == ""
    )
    at_work.settings(work)
    assert at_work.bootstrap().titles == []


def test_a_registration_token_that_is_wrong_or_no_longer_taken(
    at_work: Kit, work: BlankHost
) -> None:
    old = {"image": "tester", "registration_token": {"env": "REGISTRATION_TOKEN"}}
    at_work.settings(work, runners={"old": old})
    at_work.env["REGISTRATION_TOKEN"] = "GR1348941sesame0123456789"
    before = at_work.ssh(work, f"cat {CONFIG}")
    ran = at_work.run("bootstrap", "--host", "all")
    assert_error(at_work, ran, "register runner badwork-old", fix="GitLab refuses the token")

    at_work.env["REGISTRATION_TOKEN"] = at_work.world.registration_token
    at_work.gitlab.call("POST", "/sandbox/switches", registration_tokens=False)
    try:
        ran = at_work.run("bootstrap", "--host", "all")
    finally:
        at_work.gitlab.call("POST", "/sandbox/switches", registration_tokens=True)
    assert_error(
        at_work, ran, "register runner badwork-old", fix="registration tokens switched off"
    )
    assert at_work.ssh(work, f"cat {CONFIG}") == before

    assert at_work.bootstrap().titles == ["register runner badwork-old"]
    assert at_work.bootstrap().titles == []
    at_work.ssh(work, f"cat >{CONFIG} <<'END'\n{before}END")
