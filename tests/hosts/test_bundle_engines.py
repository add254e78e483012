"""Hosts that have Docker already and reach nothing: from a bundle only images come, to any engine."""

from pathlib import Path

import pytest

from sandbox.world import World
from tests.hosts import engines
from tests.hosts.kit import Kit
from tests.hosts.test_bundle import bootstrapped, cut_off, file, maker, settings  # noqa: F401

pytestmark = pytest.mark.long


@pytest.mark.parametrize("version", [one for one in engines.ENGINES if one != "20.10"])
def test_a_host_with_an_engine_gets_images_alone_and_runs_a_job(
    kit: Kit,
    world: World,
    file: Path,  # noqa: F811
    version: str,
) -> None:
    host = engines.running(kit, "has-docker", version)
    try:
        settings(kit, host)
        cut_off(kit, host)
        kit.new_token(tag_list="has-docker")
        titles = bootstrapped(kit, file).titles
        assert not [one for one in titles if one.startswith(("install", "pull", "build"))]
        assert "load the job image tester from the bundle" in titles
        job = kit.job("echo it runs", image="tester", tags=["has-docker"])
        assert job["state"] == "success", job["trace"]
        assert kit.run("plan", "--host", "all", "--bundle", str(file)).code == 0
    finally:
        world.remove("has-docker")
