"""The ready-made folders build on a host, and hold what their jobs call."""

import pytest

from sandbox import daemon
from sandbox.image_store import ImageStore
from sandbox.names import IMAGES
from sandbox.services import mirror
from sandbox.world import World
from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit

SHARED = "git --version && ssh -V"
HOLDS = {
    "ci-debian": f"{SHARED} && make --version && curl --version",
    "ci-node": f"{SHARED} && node --version && g++ --version && make --version && python3 --version",
    "ci-python": f"{SHARED} && python3 --version && gcc --version && make --version",
    "ci-go": "jq --version && zip --version",
    "ci-php": f"{SHARED} && php --version && /usr/local/bin/composer --version && unzip -v",
}
# Where Docker Hub does not answer, Debian's own packages stand in, without Go, whose compiler would be
# most of the test, and with a script in the place of Composer.
SCRIPTS = "nodejs php-cli"
OFFICIAL = {
    "node:24-bookworm-slim": SCRIPTS,
    "python:3.14-slim-bookworm": "python3",
    "golang:1.27-bookworm": SCRIPTS,
    "php:8.5-cli-bookworm": SCRIPTS,
    "composer:2": SCRIPTS,
}
STAND_IN = r"""ARG BASE
FROM ${BASE}
ARG WEEK
RUN : "$WEEK" && apt-get update && DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends PACKAGES && rm -rf /var/lib/apt/lists/*
RUN printf '#!/usr/bin/env php\n<?php echo "in place of Composer\\n";' >/usr/bin/composer \
    && chmod 755 /usr/bin/composer
"""


@pytest.fixture(scope="session")
def bases(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The official images in the sandbox's mirror: the real ones where Docker Hub answers."""
    shop = ImageStore(daemon.running(), world.state, print)
    for official, packages in OFFICIAL.items():
        image = shop.hub(official, f"{IMAGES}/hub/{official}")
        if image is None:
            context = tmp_path_factory.mktemp("base")
            (context / "Dockerfile").write_text(STAND_IN.replace("PACKAGES", packages))
            name = f"{IMAGES}/stand-in-base:{packages.replace(' ', '-')}"
            image = shop.build(name, context, "Dockerfile", shop.base("bookworm"))
        mirror.push(shop.client, world.names, image, f"library/{official}")


@pytest.mark.long
@pytest.mark.usefixtures("bases")
def test_every_ready_made_folder_builds_and_holds_what_its_jobs_call(
    kit: Kit, blank: Blank
) -> None:
    host = blank("docker", "ready")
    kit.mirrored(host)
    kit.settings(host)
    ran = kit.run("image.build", ",".join(HOLDS), "--host", "ready", "--json", timeout=900)
    assert ran.code == 0, ran.out + ran.err
    assert {i["image"]: i["state"] for i in ran.hosts["ready"]["images"]} == dict.fromkeys(
        HOLDS, "built"
    )
    for name, calls in HOLDS.items():
        kit.ssh(host, f"docker run --rm {name} sh -ec '{calls} && ! ls /var/lib/apt/lists/*'")
