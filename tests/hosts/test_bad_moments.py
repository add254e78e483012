"""A GitLab in a bad moment: what passes by itself is waited for, and nothing is doubled."""

from collections.abc import Iterator

import pytest

from sandbox.world import BlankHost, World
from tests.hosts.kit import CONFIG, Kit
from tests.hosts.test_registration import switch

NAME = "moment"


@pytest.fixture(scope="module")
def host(world: World) -> Iterator[BlankHost]:
    yield world.host(NAME, "docker")
    world.remove(NAME)


@pytest.mark.parametrize(
    "status", [500, *(pytest.param(n, marks=pytest.mark.long) for n in (503, 429))]
)
def test_a_registration_goes_through_once_gitlab_is_well_again(
    kit: Kit, host: BlankHost, status: int
) -> None:
    kit.settings(host, runners={"web": {"name": NAME}})
    kit.new_token(NAME)
    kit.ssh(host, f"rm -f {CONFIG}")
    times = 6 if kit.world.stand_in else 2  # the stand-in asks five times by itself, as 19.3 does
    switch(kit, fail_next={"endpoint": "POST /runners/verify", "status": status, "times": times})
    kit.bootstrap()
    assert kit.ssh(host, f"grep -c '^.*token = ' {CONFIG}").strip() == "1"
    (runner,) = kit.gitlab.runners(NAME)
    assert len(runner["managers"]) == 1


def test_the_api_is_asked_again(kit: Kit, host: BlankHost) -> None:
    kit.settings(
        host,
        gitlab={"api_token": {"env": "GITLAB_TOKEN"}},
        runners={"web": {"name": NAME, "token": {"env": "NONE"}}},
    )
    kit.env["GITLAB_TOKEN"] = kit.world.api_token
    kit.ssh(host, f"rm -f {CONFIG}")
    switch(kit, fail_next={"endpoint": "GET /user", "status": 502, "times": 2})
    kit.bootstrap()
    assert len(kit.gitlab.runners(NAME)) == 1
