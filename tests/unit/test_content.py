"""What an image is to engines of every age: recorded, and told apart where it differs."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from runnerkit.checks.host import disk
from runnerkit.facts.look import parse
from runnerkit.fleet.job_images import ImageRow, row
from runnerkit.fleet.run import Outcome
from runnerkit.images.content import content, store
from runnerkit.images.definition import JobImage
from runnerkit.place import TEMPLATES
from runnerkit.report.job_images import listed
from runnerkit.steps import job_images
from tests.unit.build import converged, want

LAYERS = ["sha256:base", "sha256:code"]
OF_OLD: dict[str, Any] = {
    "Id": "sha256:config", "Created": "0001-01-01T00:00:00Z", "Os": "linux", "Architecture": "amd64",
    "Config": {
        "Hostname": "ab12", "Env": ["PATH=/bin"], "Cmd": ["sh"], "Image": "", "Volumes": None,
        "Entrypoint": None, "OnBuild": [], "Labels": {"a": "b", "runnerkit.bases": "{1}"},
        "Healthcheck": {"Test": ["CMD", "true"]},
    },
    "GraphDriver": {"Name": "overlay2"}, "RootFS": {"Type": "layers", "Layers": LAYERS},
}  # fmt: skip
OF_NEW: dict[str, Any] = {
    "Id": "sha256:index", "Os": "linux", "Architecture": "amd64", "Descriptor": {"digest": "x"},
    "Config": {
        "Cmd": ["sh"], "Env": ["PATH=/bin"], "Labels": {"runnerkit.bases": "{2}", "a": "b"},
        "Healthcheck": {"Test": ["CMD", "true"], "StartInterval": 5},
    },
    "Identity": {"Build": []}, "RootFS": {"Type": "layers", "Layers": LAYERS},
}  # fmt: skip


def test_one_content_is_one_to_either_store() -> None:
    assert content(OF_OLD) == content(OF_NEW)


@pytest.mark.parametrize(
    "other",
    [
        {"Architecture": "arm64"}, {"Created": "2026-03-01T12:00:00Z"}, {"Config": None},
        {"RootFS": {"Layers": LAYERS[:1]}}, {"RootFS": {}}, {"RootFS": {"Layers": None}},
        {"Config": {**OF_NEW["Config"], "Cmd": ["bash"]}},
        {"Config": {**OF_NEW["Config"], "Labels": {"a": "c"}}},
        {"Config": {**OF_NEW["Config"], "Healthcheck": {"Test": ["NONE"]}}},
    ],
)  # fmt: skip
def test_what_differs_is_another(other: dict[str, Any]) -> None:
    assert content(OF_NEW) != content({**OF_NEW, **other})


@pytest.mark.parametrize(
    ("info", "whose"),
    [
        ({}, "classic"), ({"DriverStatus": None}, "classic"),
        ({"DriverStatus": [["Backing Filesystem", "extfs"]]}, "classic"),
        ({"DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]]}, "containerd"),
    ],
)  # fmt: skip
def test_the_store_is_told_by_docker_info(info: dict[str, Any], whose: str) -> None:
    assert store(info) == whose


def places(tmp_path: Path, sizes: dict[str, str], flag: str = "-Pk") -> str:
    """Of these folders, where a shadowed df shows least."""
    lines = "".join(f"{place}) echo; echo 'disk {row}' ;; " for place, row in sizes.items())
    df = tmp_path / "df"
    df.write_text(f'#!/bin/sh\n[ "$1" = {flag} ] && case $2 in {lines} *) exit 1 ;; esac\n')
    df.chmod(0o755)
    script = (TEMPLATES / "places.sh").read_text() + f"least {flag}"
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    text = "\n".join([*sizes, "/gone"])
    ran = subprocess.run(
        ["sh", "-c", script], input=text, env=env, text=True, capture_output=True, check=True
    )
    return ran.stdout.strip()


def test_the_disk_with_the_least_room_counts(tmp_path: Path) -> None:
    sizes = {"/var/lib/docker": "100 40 60 40% /", "/srv/images": "100 95 5 95% /srv"}
    assert places(tmp_path, sizes) == "5 /srv/images"


def test_a_file_system_without_a_number_of_inodes_has_enough(tmp_path: Path) -> None:
    assert places(tmp_path, {"/btrfs": "0 0 0 - /"}, "-Pi") == ""


def test_what_the_look_says_of_room_is_read() -> None:
    look = "kernel: Linux ci1 x86_64\nfree_kb: 5 /srv/im ages\nfree_inodes: 7 /srv\nend: yes\n"
    have = parse(look)
    assert (have.free_kb, have.disk, have.free_inodes) == (5, "/srv/im ages", 7)
    assert parse(look.replace(" 7 /srv", "")).free_inodes is None


def test_files_need_inodes_as_bytes_need_room() -> None:
    assert disk.full(want(), converged(free_inodes=10**6)) is None
    found = disk.full(want(), converged(free_inodes=1000))
    assert found is not None
    assert "1000 inodes free, 32768 needed" in found.what


def test_a_base_of_the_same_content_has_not_moved() -> None:
    """Built on another store's host, and sent: here the very base has another id."""
    wanted = want(runners={"web": {"image": "own"}}, images={"own": {"base": "debian:bookworm"}})
    (job,) = wanted.images
    bases = {"debian:bookworm": content(OF_OLD)}
    marks = job.marks({"debian:bookworm": "sha256:config"}, {}, bases)
    own = {"Id": "sha256:own", "Config": {"Labels": marks}}
    images = {"own:latest": own, job.hashed(bases): own, "debian:bookworm": OF_NEW}
    assert list(job_images.changes(wanted, converged(images=images))) == []
    moved = {**OF_NEW, "RootFS": {"Layers": ["sha256:newer"]}}
    have = converged(images={**images, "debian:bookworm": moved})
    assert job_images.why(job, have) == "its base debian:bookworm moved"


def test_a_list_of_two_stores_shows_which_and_one_content_as_the_same() -> None:
    rows = [
        ImageRow("web", "current", id=f"sha256:{store}", content="sha256:same", store=store)
        for store in ("classic", "containerd")
    ]
    both = listed([Outcome(f"ci{number}", (row,)) for number, row in enumerate(rows)])
    assert both.lines[0].split()[-1] == "store"
    assert [line.split()[-1] for line in both.lines[1:]] == ["classic", "containerd"]
    assert not any("differs" in line for line in both.lines)
    assert "store" not in listed([Outcome("ci1", (rows[0],))]).lines[0]


@pytest.mark.parametrize(
    "time", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "9" * 5000, "never"]
)
def test_an_image_s_date_may_be_any_that_a_job_wrote(time: str) -> None:
    found = {"Id": "sha256:0", "Size": 1, "Created": time, "Config": {}}
    shown = row(JobImage("web", ""), converged(images={"web:latest": found}), "not defined here")
    assert shown.created is None
