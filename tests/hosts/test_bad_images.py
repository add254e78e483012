"""What cannot be built is told in words to act upon, and the old image stays as it was."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.world import BlankHost, World
from tests.hosts.kit import Kit, Ran
from tests.hosts.test_images import write

GOOD = "FROM debian:bookworm\nRUN echo good >/state\n"


@pytest.fixture(scope="module")
def host(world: World) -> Iterator[BlankHost]:
    result = world.host("badimage", "docker")
    Kit(world, Path()).mirrored(result)
    yield result
    world.remove("badimage")


@pytest.fixture(autouse=True)
def _here(kit: Kit, host: BlankHost) -> None:
    kit.settings(host)
    kit.env["RUNNERKIT_DOCKERFILES"] = str(kit.folder / "dockerfiles")
    (kit.folder / "dockerfiles").mkdir()


def refused(kit: Kit, name: str, *parts: str) -> Ran:
    ran = kit.run("image.build", name, "--host", "all")
    assert ran.code == 1, ran.out + ran.err
    for part in (*parts, "\n  fix: "):
        assert part in ran.err
    return ran


BUILDS = {
    "a step fails": (
        "FROM debian:bookworm\nRUN echo before it && echo at fault >&2 && exit 7\n",
        ["does not build", " (exit 7 of ", "before it", "at fault", "old image is untouched"],
    ),
    "a file is missing": ("FROM debian:bookworm\nCOPY missing /\n", ["COPY missing /", "not found"]),
    "an unknown instruction": ("FROM debian:bookworm\nINSTALL git\n", ["unknown instruction: INSTALL"]),
    "no base at all": ("RUN true\n", ["does not build"]),
    "an empty Dockerfile": ("", ["does not build", "empty"]),
}  # fmt: skip


@pytest.mark.parametrize("what", BUILDS)
def test_a_build_that_fails_is_told_with_its_step_and_leaves_the_old_image(
    kit: Kit, host: BlankHost, what: str
) -> None:
    write(kit, "fails", GOOD)
    assert kit.run("image.build", "fails", "--host", "all").code == 0
    dockerfile, parts = BUILDS[what]
    write(kit, "fails", dockerfile)
    refused(kit, "fails", *parts)
    assert kit.ssh(host, "docker run --rm fails cat /state") == "good\n"
    write(kit, "fails", GOOD)
    assert kit.run("image.build", "fails", "--host", "all").code == 0


def test_of_several_builds_the_good_ones_are_made_and_every_bad_one_is_told(kit: Kit) -> None:
    write(kit, "good", GOOD + "RUN true\n")
    for name in ("bad1", "bad2"):
        write(kit, name, f"FROM debian:bookworm\nRUN echo {name}; exit 1\n")
    ran = kit.run("image.build", "bad1,good,bad2", "--host", "all")
    assert ran.code == 1
    assert "bad1 does not build" in ran.err
    assert "bad2 does not build" in ran.err
    again = kit.run("image.build", "good", "--host", "all", "--json")
    assert [row["state"] for row in again.hosts["badimage"]["images"]] == ["unchanged"]


def test_a_base_that_cannot_be_pulled_names_the_mirrors_that_were_tried(kit: Kit) -> None:
    write(kit, "nobase", "FROM nowhere/nothing:1\n")
    refused(
        kit, "nobase", "cannot pull nowhere/nothing:1", f"mirrors tried: {kit.world.mirror_url}"
    )


WRONG = {
    "Upper": ("Docker refuses the image name 'Upper'", None),
    "a--_b": ("Docker refuses the image name", None),
    "missing": ("no job image 'missing'", ""),
    "../etc": ("no job image '../etc'", ""),
    "hides": ("would hide the image hides:1", "FROM hides:1\n"),
    "up": ("COPY ../x is outside the folder", "FROM debian:bookworm\nCOPY ../x /\n"),
    "loop": ("built from each other: loop → loop", "FROM loop\n"),
    "norules": ("Docker refuses the pattern '!'", "FROM debian:bookworm\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_definition_is_told_before_any_host_is_touched(kit: Kit, name: str) -> None:
    message, dockerfile = WRONG[name]
    if dockerfile != "":
        write(kit, name, dockerfile or GOOD)
    if name == "norules":
        write(kit, name, GOOD, **{".dockerignore": "!\n"})
    ran = refused(kit, name, message)
    assert "connecting" not in ran.err


def test_a_folder_that_leads_elsewhere_is_refused(kit: Kit) -> None:
    write(kit, "../elsewhere", GOOD)
    (kit.folder / "dockerfiles/link").symlink_to("../elsewhere")
    refused(kit, "link", "dockerfiles/link leads outside dockerfiles/")


def test_a_folder_without_a_dockerfile_is_told(kit: Kit) -> None:
    (write(kit, "bare", "") / "Dockerfile").unlink()
    refused(kit, "bare", "dockerfiles/bare has no Dockerfile")


def test_a_dockerignore_that_leaves_out_the_dockerfile_still_builds(
    kit: Kit, host: BlankHost
) -> None:
    write(kit, "hidden", GOOD + "COPY . /all/\n", **{".dockerignore": "Dockerfile\n", "x": ""})
    assert kit.run("image.build", "hidden", "--host", "all").code == 0
    assert "x" in kit.ssh(host, "docker run --rm hidden ls /all").split()


def test_an_empty_secret_is_told(kit: Kit, host: BlankHost) -> None:
    kit.settings(host, images={"needy": {"secrets": {"npm": {"env": "NOT_SET"}}}})
    write(kit, "needy", GOOD)
    refused(kit, "needy", "the secret npm of the job image needy is empty", "NOT_SET")


@pytest.mark.parametrize("free", [10**6, 10**9])
def test_a_host_without_room_is_told_before_anything_is_sent(
    kit: Kit, host: BlankHost, free: int
) -> None:
    kit.settings(host, docker={"min_free_mb": free})
    write(kit, "roomy", GOOD + f"RUN echo {free}\n")
    ran = refused(kit, "roomy", "the disk is too full for the images", "image.prune")
    assert "build the job image" not in ran.err


def test_a_host_without_docker_is_told(kit: Kit, world: World) -> None:
    kit.settings(world.host("nodocker", "systemd"))
    try:
        write(kit, "any", GOOD)
        refused(kit, "any", "no Docker engine answers on the host", "/inv bootstrap")
        listed = kit.run("image.list", "--host", "all")
        assert "no Docker engine answers" in listed.err
    finally:
        world.remove("nodocker")


def test_settings_that_define_an_image_twice_or_not_at_all_are_told(
    kit: Kit, host: BlankHost
) -> None:
    write(kit, "twice", GOOD)
    output: dict[str, Any] = {"twice": {"base": "debian:bookworm"}}
    kit.settings(host, images=output)
    refused(kit, "twice", "the job image twice is defined twice")
    kit.settings(host, images={"none": {}})
    refused(kit, "none", "images.none.base: missing, and there is no folder dockerfiles/none")
