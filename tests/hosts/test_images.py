"""Job images: one folder a project, rebuilt in a moment, the same on every host."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.world import BlankHost, World
from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit, Ran

SENTINEL = "sentinel-of-a-build-9f3"
MOUNTS = """FROM debian:bookworm
RUN --mount=type=cache,target=/var/cache/ours date +%N >>/var/cache/ours/runs; \\
    wc -l </var/cache/ours/runs >/runs
RUN --mount=type=secret,id=npm sha256sum </run/secrets/npm >/digest
"""


@pytest.fixture(scope="module")
def pair(world: World) -> Iterator[tuple[BlankHost, BlankHost]]:
    """Two hosts with Docker that have the mirror; the tests of this module use other images each."""
    result = world.host("image1", "docker"), world.host("image2", "docker")
    kit = Kit(world, Path())
    for host in result:
        kit.mirrored(host)
    yield result
    for host in result:
        world.remove(host.name)


@pytest.fixture(autouse=True)
def _here(kit: Kit, pair: tuple[BlankHost, BlankHost]) -> None:
    kit.settings(*pair)
    kit.env["RUNNERKIT_DOCKERFILES"] = str(kit.folder / "dockerfiles")


def write(kit: Kit, name: str, dockerfile: str, **files: str) -> Path:
    folder = kit.folder / "dockerfiles" / name
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in {"Dockerfile": dockerfile, **files}.items():
        (folder / file).write_text(text)
    return folder


def images(ran: Ran) -> dict[tuple[str, str], dict[str, Any]]:
    """What --json said, by host and image."""
    assert ran.code == 0, ran.out + ran.err
    return {(h, i["image"]): i for h, one in ran.hosts.items() for i in one["images"]}


def states(ran: Ran) -> dict[tuple[str, str], str]:
    return {key: one["state"] for key, one in images(ran).items()}


def build(kit: Kit, names: str, *words: str, host: str = "image1") -> Ran:
    return kit.run("image.build", names, "--host", host, "--json", *words)


def test_two_hosts_get_their_images_and_the_second_time_nothing_is_asked_of_the_builder(
    kit: Kit, pair: tuple[BlankHost, BlankHost]
) -> None:
    write(kit, "one", "FROM debian:bookworm\nCOPY hello /hello\n", hello="1")
    write(kit, "two", "FROM one\nRUN cat /hello >/copy\n")
    first = build(kit, "two", host="all")
    assert set(states(first).values()) == {"built"}
    assert set(states(first)) == {(h.name, i) for h in pair for i in ("one", "two")}
    for host in pair:
        assert kit.ssh(host, "docker run --rm two cat /copy") == "1"
    again = build(kit, "two", host="all")
    assert set(states(again).values()) == {"unchanged"}
    assert {one["execs"] for one in again.hosts.values()} == {1}
    for key, row in images(again).items():
        assert row["id"] == images(first)[key]["id"]
        both = f"docker image inspect -f '{{{{.Id}}}}' {key[1]}:latest {key[1]}:{row['hash']}"
        host = next(h for h in pair if h.name == key[0])
        assert kit.ssh(host, both).split() == [row["id"]] * 2


def test_an_edited_file_rebuilds_only_its_image_and_what_is_built_from_it(kit: Kit) -> None:
    write(kit, "base1", "FROM debian:bookworm\nCOPY . /src\n", file="1", noise="1")
    (kit.folder / "dockerfiles/base1/.dockerignore").write_text("noise\n")
    write(kit, "on1", "FROM base1\n")
    write(kit, "other1", "FROM debian:bookworm\nCOPY file /\n", file="1")
    names = "on1,other1"
    assert set(states(build(kit, names)).values()) == {"built"}
    write(kit, "base1", "FROM debian:bookworm\nCOPY . /src\n", noise="2")
    assert set(states(build(kit, names)).values()) == {"unchanged"}
    write(kit, "base1", "FROM debian:bookworm\nCOPY . /src\n", file="2")
    assert states(build(kit, names)) == {
        ("image1", "base1"): "built", ("image1", "on1"): "built", ("image1", "other1"): "unchanged",
    }  # fmt: skip


def test_the_matrix_tells_what_is_stale_missing_or_different(kit: Kit) -> None:
    kit.settings(*_hosts(kit), images={"matrix": {}}, runners={"web": {"image": "matrix"}})
    write(kit, "matrix", "FROM debian:bookworm\nRUN date +%N >/when\n")
    build(kit, "matrix")

    def listed() -> dict[tuple[str, str], dict[str, Any]]:
        found = images(kit.run("image.list", "--host", "all", "--json"))
        return {key: one for key, one in found.items() if key[1] == "matrix"}

    assert {k[0]: v["state"] for k, v in listed().items()} == {
        "image1": "current", "image2": "missing",
    }  # fmt: skip
    build(kit, "matrix", host="image2")
    assert {v["state"] for v in listed().values()} == {"current"}
    assert {v["differs"] for v in listed().values()} == {True}
    write(kit, "matrix", "FROM debian:bookworm\nRUN true\n")
    assert {v["state"] for v in listed().values()} == {"stale: its definition changed"}
    table = kit.run("image.list", "--host", "all")
    assert table.code == 0
    row = next(line for line in table.out.splitlines() if line.startswith("matrix  image1"))
    for part in ("stale: its definition changed", "differs between hosts", "MB", "debian:bookworm"):
        assert part in row


def _hosts(kit: Kit) -> list[BlankHost]:
    found = kit.data["hosts"]
    return [
        BlankHost(name, one["address"].partition("@")[2], "docker", Path(one["identity"]))
        for name, one in found.items()
    ]


def test_a_job_runs_in_the_rebuilt_image_and_neither_config_nor_job_changes(
    kit: Kit, pair: tuple[BlankHost, BlankHost]
) -> None:
    host = pair[0]
    kit.settings(host, runners={"web": {"image": "project", "name": "project"}})
    kit.new_token("project", tag_list="project")
    write(kit, "project", "FROM debian:bookworm\nCOPY version /\n", version="first")
    kit.bootstrap()
    assert "first" in kit.job("cat /version", tags=["project"])["trace"]

    write(kit, "project", "FROM debian:bookworm\nCOPY version /\n", version="second")
    assert kit.plan().titles == ["build the job image project (its definition changed)"]
    assert set(states(build(kit, "project")).values()) == {"built"}
    job = kit.job("cat /version", tags=["project"])
    assert job["state"] == "success", job["trace"]
    assert "second" in job["trace"]
    assert kit.plan().titles == []


def registry(kit: Kit, host: BlankHost, port: int, words: str) -> None:
    """Run a registry on a port of the host's loopback, and wait until it answers, not only its port."""
    kit.ssh(host, f"""set -e; docker pull -q registry:2
        docker run -d -p 127.0.0.1:{port}:5000 {words} registry:2
        until docker pull 127.0.0.1:{port}/none 2>&1 | grep -E 'not found|no basic auth'; do
          sleep 0.1
        done""")  # fmt: skip


@pytest.mark.long
def test_a_base_that_moved_is_seen_when_asked_for(
    kit: Kit, pair: tuple[BlankHost, BlankHost]
) -> None:
    host = pair[0]
    registry(kit, host, 5001, "--name reg")
    write(kit, "moved", "FROM 127.0.0.1:5001/base:1\nRUN cat /release >/copy\n")
    publish = """printf 'FROM debian:bookworm\\nRUN echo %s >/release\\n' | docker build -q -t 127.0.0.1:5001/base:1 - &&
        docker push -q 127.0.0.1:5001/base:1 && docker rmi 127.0.0.1:5001/base:1"""
    kit.ssh(host, publish.replace("%s", "one", 1))
    build(kit, "moved")
    old = kit.ssh(host, "docker image inspect -f '{{.Id}}' 127.0.0.1:5001/base:1").strip()
    kit.ssh(host, publish.replace("%s", "two", 1) + f" && docker tag {old} 127.0.0.1:5001/base:1")
    assert set(states(build(kit, "moved")).values()) == {"unchanged"}
    assert set(states(build(kit, "moved", "--pull")).values()) == {"built"}
    assert kit.ssh(host, "docker run --rm moved cat /copy") == "two\n"
    assert set(states(build(kit, "moved", "--pull")).values()) == {"unchanged"}
    kit.ssh(host, "docker rm -fv reg")


def test_no_cache_builds_anew_what_is_unchanged(
    kit: Kit, pair: tuple[BlankHost, BlankHost]
) -> None:
    write(kit, "fresh", "FROM debian:bookworm\nRUN date +%N >/when\n")
    build(kit, "fresh")
    when = kit.ssh(pair[0], "docker run --rm fresh cat /when")
    assert set(states(build(kit, "fresh", "--no-cache")).values()) == {"built"}
    assert kit.ssh(pair[0], "docker run --rm fresh cat /when") != when


@pytest.mark.long
def test_cache_and_secret_mounts_work_and_the_secret_stays_nowhere(
    kit: Kit, pair: tuple[BlankHost, BlankHost]
) -> None:
    host = pair[0]
    kit.settings(*pair, images={"mounts": {"secrets": {"npm": {"env": "NPM_TOKEN"}}}})
    kit.env["NPM_TOKEN"] = SENTINEL
    write(kit, "mounts", MOUNTS)
    ran = build(kit, "mounts")
    assert set(states(ran).values()) == {"built"}
    digest = subprocess.run(
        ["sha256sum"], input=SENTINEL, capture_output=True, text=True, check=True
    )
    assert kit.ssh(host, "docker run --rm mounts cat /digest") == digest.stdout
    write(kit, "mounts", MOUNTS.replace("RUN", "RUN true\nRUN", 1))
    build(kit, "mounts")
    assert kit.ssh(host, "docker run --rm mounts cat /runs").strip() == "2"
    places = """docker image inspect mounts; docker history --no-trunc mounts; docker save mounts | tar xO
        cat /tmp/* /run/runnerkit* 2>/dev/null; journalctl --no-pager"""
    assert kit.ssh(host, f"{{ {places}\n}} | grep -ac '{SENTINEL}' || true").strip() == "0"
    assert kit.ssh(host, f"{{ {places}\n}} | grep -ac runs").strip() != "0"
    assert SENTINEL not in ran.out + ran.err


def test_a_host_with_buildkit_off_builds_with_the_classic_builder(kit: Kit, blank: Blank) -> None:
    host = blank("docker")
    kit.settings(host)
    kit.mirrored(host, features={"buildkit": False})
    write(kit, "classic", "FROM debian:bookworm\nCOPY file /\nRUN cat /file >/copy\n", file="x")
    assert set(states(build(kit, "classic", host=host.name)).values()) == {"built"}
    result = kit.ssh(host, "docker history --no-trunc classic; docker run --rm classic cat /copy")
    assert "buildkit" not in result
    assert result.endswith("x")
    assert set(states(build(kit, "classic", host=host.name)).values()) == {"unchanged"}


@pytest.mark.long
def test_a_large_context_does_not_fill_memory(kit: Kit) -> None:
    folder = write(kit, "large", "FROM scratch\nCOPY marker /\n", marker="x")
    with (folder / "blob").open("wb") as file:
        file.truncate(300 << 20)
    assert memory(kit, "image.build", "large", "--host", "image1") < 120 << 10


def memory(kit: Kit, *words: str) -> int:
    """The most memory that the kit had at a time, in KiB."""
    command, env = kit.command(*words)
    with (kit.folder / "output").open("w") as output:
        run = subprocess.Popen(
            command, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        _, status, used = os.wait4(run.pid, 0)
    assert status == 0, (kit.folder / "output").read_text()
    return used.ru_maxrss
