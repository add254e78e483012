"""When a job image is rebuilt on a host, and why."""

from pathlib import Path
from typing import Any

import pytest

from runnerkit import converge
from runnerkit.errors import KitError
from runnerkit.facts import Facts, File
from runnerkit.fleet import job_images as job_fleet
from runnerkit.images import catalog, definition
from runnerkit.images.definition import JobImage
from runnerkit.plan import Build, Change, Pull, batches
from runnerkit.settings.load import load
from runnerkit.steps import job_images
from runnerkit.want import Want
from tests.unit.build import DAEMON, GOOD, converged, want

MADE = "2026-03-01T12:00:00.123456789Z"
BEFORE, AFTER = "2026-03-01T11:59:59.9Z", "2026-03-01T12:00:00.2Z"
BASE = {"debian:bookworm": "sha256:base"}


def wanted(**more: Any) -> Want:
    definition = {"own": {"base": "debian:bookworm"}, **more}
    return want(runners={"web": {"image": list(definition)[-1]}}, images=definition)


def image(job: JobImage, bases: dict[str, str] = BASE, **labels: str) -> dict[str, Any]:
    marks = {**job.marks(bases, dict.fromkeys(bases, MADE)), **labels}
    return {"Id": f"sha256:{job.name}", "Config": {"Labels": marks}}


def base(number: str, result: str) -> dict[str, Any]:
    return {"Id": f"sha256:{number}", "Created": result}


def have(want: Want, images: dict[str, Any], **changes: Any) -> Facts:
    config = GOOD.replace("debian:bookworm", want.runners[0].image)
    known = {**converged().images, "debian:bookworm": {"Id": BASE["debian:bookworm"]}, **images}
    return converged(config, images={k: v for k, v in known.items() if v}, **changes)


def built(want: Want) -> dict[str, Any]:
    (job,) = want.images
    return {job.reference: image(job), job.hashed(BASE): image(job)}


def titles(want: Want, images: dict[str, Any], **changes: Any) -> list[str]:
    return [change.title for change in converge.plan(want, have(want, images, **changes))]


def test_an_image_that_is_as_defined_needs_nothing() -> None:
    assert titles(wanted(), built(wanted())) == []


def test_a_host_without_the_base_keeps_the_image_that_was_sent_to_it() -> None:
    assert titles(wanted(), {**built(wanted()), "debian:bookworm": None}) == []


def test_a_host_with_an_older_base_keeps_the_image_that_was_sent_to_it() -> None:
    assert titles(wanted(), {**built(wanted()), "debian:bookworm": base("older", BEFORE)}) == []


REASONS: dict[str, dict[str, Any]] = {
    "new": {"own:latest": None},
    "its definition changed": {"own:latest": {"Config": {"Labels": {
        "runnerkit.image": "own", "runnerkit.inputs": "old"}}, "Id": "1"}},
    "its base debian:bookworm moved": {"debian:bookworm": base("newer", AFTER)},
    "what has its name was not built by the kit": {"own:latest": {"Config": {}, "Id": "1"}},
}  # fmt: skip


@pytest.mark.parametrize("reason", REASONS)
def test_an_image_is_rebuilt_for_a_reason_that_the_plan_tells(reason: str) -> None:
    want = wanted()
    definition = {**built(want), **REASONS[reason]}
    if reason != "its base debian:bookworm moved":
        definition = {name: one for name, one in definition.items() if ":latest" in name}
    assert titles(want, definition) == [f"build the job image own ({reason})"]


def test_a_missing_base_is_pulled_first() -> None:
    assert titles(wanted(), {"debian:bookworm": None}) == [
        "pull debian:bookworm, to build on",
        "build the job image own (new)",
    ]


def test_an_image_that_was_built_before_only_gets_its_plain_name_back() -> None:
    want = wanted()
    (job,) = want.images
    definition = {**built(want), "own:latest": {"Id": "sha256:other", "Config": {}}}
    assert titles(want, definition) == [f"tag {job.hashed(BASE)} as own:latest"]


def test_a_lost_hash_is_put_back() -> None:
    want = wanted()
    (job,) = want.images
    assert titles(want, {job.reference: image(job)}) == [f"tag own:latest as {job.hashed(BASE)}"]


def test_images_built_from_a_stale_one_are_rebuilt_after_it() -> None:
    want = wanted(child={"base": "own"})
    child = want.images[1]
    changes = converge.plan(want, have(want, {"child:latest": image(child, {"own": "sha256:own"})}))
    assert [change.title for change in changes] == [
        "build the job image own (new)",
        "build the job image child (its base own is rebuilt)",
    ]
    assert [len(batch) for batch in batches(changes)] == [1, 1]


def test_independent_pulls_and_builds_are_made_together() -> None:
    a, b = (Build(name, JobImage(name, "")) for name in "ab")
    pulls: list[Change] = [Pull("p", "p", ("p",)), Pull("q", "q", ("q",))]
    assert [len(batch) for batch in batches([*pulls, a, b])] == [2, 2]


def test_a_host_that_has_buildkit_off_gets_the_classic_builder() -> None:
    off = {DAEMON: File(b'{"features": {"buildkit": false}}', 0o644, 1)}
    facts = converged(GOOD.replace("debian:bookworm", "own:latest"))
    for files, buildkit in (({}, True), (off, False)):
        change = converge.plan(wanted(), have(wanted(), {}, files={**facts.files, **files}))[0]
        assert isinstance(change, Build)
        assert change.buildkit is buildkit


def test_a_disk_without_room_for_the_context_is_told_before_it_is_sent() -> None:
    with pytest.raises(KitError, match="disk is too full"):
        titles(wanted(), {}, free_kb=1000)


@pytest.mark.parametrize(
    ("image", "named"), [("debian:bookworm", []), ("own", ["own", "own"]), ("ci-go", ["own", "ci-go"])]
)  # fmt: skip
def test_all_is_what_the_settings_speak_of(image: str, named: list[str]) -> None:
    images_ = {} if image == "debian:bookworm" else {"own": {"base": "debian:bookworm"}}
    data = {"runners": {"web": {"image": image}}, "images": images_}
    assert catalog.named(load(command_line=data)) == named


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("Dockerfile", b"FROM x\n# f\xfcr\n", "Dockerfile is not UTF-8 text"),
        (".dockerignore", b"\xff\xfe", ".dockerignore is not UTF-8 text"),
        ("Dockerfile.j2", b"FROM {{ nothing }}\n", "Dockerfile.j2: 'nothing' is undefined"),
        ("Dockerfile.j2", b"FROM x\n{% if %}\n", "Dockerfile.j2, line 2: "),
        ("Dockerfile.j2", b"FROM x\n# f\xfcr\n", "Dockerfile.j2: 'utf-8' codec"),
    ],
)
def test_a_definition_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, data: bytes, words: str
) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "Dockerfile").write_text("FROM x\n")
    (tmp_path / "web" / name).write_bytes(data)
    monkeypatch.setenv("RUNNERKIT_DOCKERFILES", str(tmp_path))
    with pytest.raises(KitError) as caught:
        catalog.find(load(command_line={}), "web")
    assert words in caught.value.what
    assert caught.value.fix


def test_an_image_without_a_date_is_as_good_as_any() -> None:
    marks = {definition.DATES: '{"x": "2026-01-01T00:00:00Z"}'}
    assert not job_images._older({"Id": "1"}, marks, "x")
    assert job_images._older({"Id": "1", "Created": "2025-01-01T00:00:00Z"}, marks, "x")


@pytest.mark.parametrize("label", [definition.BASES, definition.DATES])
@pytest.mark.parametrize("text", ["", "[", "[]", "1", '{"x": 1}', '{"debian:bookworm": null}',
                                  "\0", "\ud800", "[" * 100_000, '{"debian:bookworm": "no time"}'])  # fmt: skip
def test_labels_that_the_kit_has_not_written_break_nothing(label: str, text: str) -> None:
    """Anybody can write them: a Dockerfile's, or the author of an image that a job had pulled."""
    (job,) = wanted().images
    evil = image(job)
    evil["Config"]["Labels"][label] = text
    assert titles(wanted(), {job.reference: evil, "debian:bookworm": base("new", MADE)})
    assert job_fleet.row(job, have(wanted(), {job.reference: {**evil, "Size": 1}}), "x").image


@pytest.mark.parametrize(
    ("architecture", "platform", "pulled"),
    [("x86_64", "", "a:1"), ("aarch64", "", "b:1"), ("x86_64", "linux/arm64", "b:1"), ("s390x", "", "")],
)  # fmt: skip
def test_what_depends_on_the_processor_is_the_host_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, architecture: str, platform: str, pulled: str
) -> None:
    (tmp_path / "web").mkdir()
    text = "FROM a:1 AS rt-amd64\nFROM b:1 AS rt-arm64\nFROM rt-${TARGETARCH}\n"
    (tmp_path / "web" / "Dockerfile").write_text(text)
    monkeypatch.setenv("RUNNERKIT_DOCKERFILES", str(tmp_path))
    images = {"web": {"platform": platform}} if platform else {}
    plan = want(runners={"web": {"image": "web"}}, images=images)
    facts = have(plan, {}, architecture=architecture)
    found = [one.image for one in job_images.changes(plan, facts) if isinstance(one, Pull)]
    assert found == ([pulled] if pulled else ["rt-s390x"])
    (build,) = [one for one in job_images.changes(plan, facts) if isinstance(one, Build)]
    assert build.image.bases == tuple(found)


def test_a_pull_asks_whether_a_job_image_was_meant_and_is_made_all_the_same() -> None:
    plan = want(runners={"web": {"image": "nb-node"}}, images={"own": {"base": "owm:1"}})
    (pull,) = [one for one in converge.plan(plan, have(plan, {})) if isinstance(one, Pull)]
    assert (pull.image, pull.near) == ("nb-node", " (did you mean 'ci-node'?)")
    there = have(plan, {"nb-node:latest": {"Id": "sha256:own"}})
    assert not [one for one in converge.plan(plan, there) if isinstance(one, Pull)]


@pytest.mark.parametrize(
    ("image", "meant"),
    [
        ("debain:12", "debian"),
        ("wbe", "web"),
        ("reg.example.com/ci/tool", "reg.example.com/ci/tools"),
        ("ci-debain", "ci-debian"),
        ("debian:13", ""),
        ("nb-node", ""),
        ("alpine", ""),
    ],
)
def test_a_plan_asks_whether_an_image_of_the_settings_was_meant(image: str, meant: str) -> None:
    runners = {
        "web": {"image": "web"},
        "a": {"image": image},
        "b": {"image": "reg.example.com/ci/tools"},
    }
    plan = want(runners=runners, images={"web": {"base": "debian:12"}})
    (pull,) = [
        one
        for one in converge.plan(plan, have(plan, {}))
        if isinstance(one, Pull) and one.image == image
    ]
    assert pull.title == f"pull {image}" + (f" (did you mean {meant!r}?)" if meant else "")


def test_the_classic_builder_wants_the_bases_of_all_stages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "Dockerfile").write_text("FROM a:1 AS tests\nFROM b:1\n")
    monkeypatch.setenv("RUNNERKIT_DOCKERFILES", str(tmp_path))
    plan = want(runners={"web": {"image": "web"}})
    off = File(b'{"features": {"buildkit": false}}', 0o644, 1)
    for files, expected in (({}, ["b:1"]), ({DAEMON: off}, ["b:1", "a:1"])):
        facts = have(plan, {}, files={**converged().files, **files})
        found = [one.image for one in job_images.changes(plan, facts) if isinstance(one, Pull)]
        assert found == expected
    assert {"a:1", "b:1"} < {*job_images.needs(plan).images}
