"""What goes from a host, what stays, and in which order."""

from dataclasses import replace
from typing import Any

import pytest

from runnerkit import converge
from runnerkit.actions import leavings, remove, remove_docker, remove_host, resume
from runnerkit.errors import KitError
from runnerkit.facts import Facts, File, ServerRunner
from runnerkit.facts.belongings import Belongings, OwnedContainer, OwnedImage, OwnedVolume, parse
from runnerkit.files import memory, share
from runnerkit.plan import Script
from tests.unit.build import CONFIG, DAEMON, GOOD, MANAGER, TOKEN, blank, converged, want
from tests.unit.remembering import ours, remembered

SHORT = TOKEN.removeprefix("glrt-")[:9]
THEIRS = (
    GOOD.replace(TOKEN, "glrt-theirs00000000000000")
    .replace("ci1-web", "theirs")
    .replace("id = 7", "id = 8")
)
MANAGED = OwnedContainer("gitlab-runner", f"sha256:{MANAGER}")


def host(have: Facts, *images: OwnedImage, installed: bool = False, **there: Any) -> Facts:
    """The same with a memory of images that came by the kit, and with what Docker has besides."""
    said = remembered(have, ours(), "web")
    known = memory.parsed(said)
    known.images = [MANAGER, "debian:bookworm"]
    files = {**said.files, memory.PATH: File(memory.written(known).encode(), 0o600, 1)}
    if installed:
        files[remove_docker.INSTALLED] = File(b"docker.io\nruncible\ndocker.io\n", 0o600, 1)
    there = {"containers": (MANAGED,), "images": images, "whole": True, **there}
    paths = frozenset({memory.FOLDER})
    return replace(said, files=files, paths=paths, belongings=Belongings(**there))


def planned(have: Facts, keep_images: bool = False, **deletes: int) -> list[str]:
    actions = remove.actions(deletes, keep_images)
    return [one.title for one in converge.plan(ours(), have, actions)]


OWN = OwnedImage(f"sha256:{MANAGER}", (MANAGER,), elsewhere=True)


def test_the_token_is_there_until_gitlab_has_heard_and_the_memory_goes_last() -> None:
    volume = OwnedVolume(f"runner-{SHORT}-project-1-concurrent-0-cache-1")
    have = host(converged(), OWN, installed=True, volumes=(volume,))
    assert planned(have) == [
        "remove the container gitlab-runner",
        "remove what its jobs left: 1 cache",
        "take ci1-web off GitLab, and remove /srv/gitlab-runner/config",
        f"remove 1 image: {MANAGER}",
        "remove Docker and what came with it: 2 packages",
        "remove /var/lib/runnerkit",
    ]


def test_caches_of_a_token_of_before_are_the_runner_s_too() -> None:
    theirs = OwnedVolume("runner-abcdefghi-project-1-concurrent-0-cache-1")
    volume = OwnedVolume(f"runner-{SHORT.lower()}-project-1-concurrent-0-cache-1")
    before = host(converged(), OWN, volumes=(volume, theirs))
    renewed = GOOD.replace(TOKEN, "glrt-renewed00000000000000").encode()
    files = {**before.files, CONFIG: File(renewed, 0o600, 1)}
    have = replace(before, files=files)
    assert "remove what its jobs left: 1 cache" in planned(have)
    (left,) = leavings.changes(have, share.of(ours(), have))
    assert SHORT.lower() in left.text
    (note,) = [one for one in memory.parsed(before).settings.values() if one.shorts]
    assert SHORT not in memory.written(memory.parsed(before))
    assert memory.shorts(before, note.shorts, ["glrt-renewed00000000000000"])[0] == note.shorts[0]


def test_a_runner_of_the_kits_is_deleted_and_is_not_taken_off_besides() -> None:
    have = replace(host(converged()), server={"web": ServerRunner(7, "ci1-web")})
    assert planned(have, web=7)[1:3] == [
        "delete runner ci1-web (#7) at GitLab",
        "remove /srv/gitlab-runner/config",
    ]


def test_nothing_is_to_do_on_a_host_that_is_blank() -> None:
    assert planned(blank()) == []


def test_a_docker_that_does_not_run_is_told() -> None:
    with pytest.raises(KitError, match="Docker does not run"):
        planned(replace(host(converged()), info={}))


def test_where_docker_did_not_tell_all_nothing_is_planned() -> None:
    have = host(converged(), installed=True, whole=False)
    with pytest.raises(KitError, match="does not tell all"):
        planned(have)


def test_where_others_have_a_runner_the_manager_stays_with_all_that_serves_both() -> None:
    have = host(converged(GOOD + THEIRS.partition("\n\n")[2]), OWN, installed=True)
    assert planned(have) == [f"write {CONFIG}", "write /var/lib/runnerkit/applied.json"]
    (write, _) = converge.plan(ours(), have, remove.actions({}, False))
    assert isinstance(write, Script)
    assert "theirs" in write.diff
    assert TOKEN not in write.title + write.diff


def test_a_runner_goes_after_its_jobs_where_the_manager_stays() -> None:
    have = host(converged(GOOD + THEIRS.partition("\n\n")[2]))
    server = ServerRunner(7, "ci1-web")
    begin = ["pause runner ci1-web (#7) at GitLab", "wait for the jobs of runner ci1-web"]
    delete = "delete runner ci1-web (#7) at GitLab"
    assert planned(replace(have, server={"web": server}), web=7)[:3] == [*begin, delete]
    paused = replace(have, server={"web": replace(server, paused=True)})
    assert planned(paused, web=7)[0] == delete
    job = OwnedContainer("job", runner=SHORT)
    busy = replace(paused, belongings=Belongings((MANAGED, job), whole=True))
    assert planned(busy, web=7)[:2] == [begin[1], delete]


@pytest.mark.parametrize(
    ("image", "goes"),
    [
        (OwnedImage("1", ("tester:1a2b", "tester:latest"), job_image="tester"), True),
        (OwnedImage("1", ("theirs/app:1",), job_image="tester"), False),  # built FROM it
        (OwnedImage("1", ("tester:1",)), False),
        (OwnedImage("1", ("debian:bookworm",)), True),
        (OwnedImage("1", ("debian:trixie",)), False),
        (OwnedImage("theirs", ("debian:bookworm",)), False),  # a container of theirs is made of it
    ],
)
def test_of_images_only_those_that_came_by_the_kit_go(image: OwnedImage, goes: bool) -> None:
    theirs = OwnedContainer("theirs", "theirs")
    have = host(converged(), image, containers=(MANAGED, theirs))
    wanted = replace(ours(), names=("tester",))
    assert remove_docker.going(wanted, have) == [*image.names] * goes


@pytest.mark.parametrize(
    ("there", "why"),
    [
        ({}, ""),
        ({"containers": (MANAGED, OwnedContainer("db", "1"))}, "other containers are in it: db"),
        ({"volumes": (OwnedVolume("data"),)}, "other volumes are in it: data"),
        ({"volumes": (OwnedVolume("runner-x", SHORT),)}, ""),
        ({"images": (OwnedImage("1", ("app:1",)),)}, "other images are in it: app:1"),
        ({"images": (OwnedImage("1", ("app:1",), job_image="web"),)}, "other images are in it: app:1"),
        ({"images": (OwnedImage("1", ("node:22",), elsewhere=True),)}, ""),
        ({"needed": ("docker.io",)}, "other packages need docker.io"),
        ({"needed": ("curl",)}, ""),
    ],
)  # fmt: skip
def test_docker_goes_where_nobody_has_anything_in_it(there: dict[str, Any], why: str) -> None:
    have = host(converged(), installed=True, **there)
    assert remove_docker.stays(ours(), have) == why
    assert ("Docker" in str(planned(have))) == (not why)
    assert "Docker" not in str(planned(have, keep_images=True))


def test_docker_stays_where_it_was_before_or_nobody_noted_that_it_was_not() -> None:
    assert "before the kit" in remove_docker.stays(ours(), host(converged()))


def test_what_daemon_json_said_before_the_kit_stays() -> None:
    said = ours(docker={"daemon": {"debug": True, "log-opts": {"max-size": "1m"}}})
    now = {"debug": True, "log-opts": {"max-size": "1m", "max-file": "2"}}
    have = remembered(converged(daemon=now, belongings=Belongings(whole=True)), said, "web")
    known = memory.parsed(have)
    known.found = memory.tree(have, {"debug": False, "log-opts": {"max-file": "2"}})
    have.files[memory.PATH] = File(memory.written(known).encode(), 0o600, 1)  # type: ignore[index]
    (title,) = [
        one.title
        for one in converge.plan(said, have, remove.actions({}, False))
        if DAEMON in one.title
    ]
    assert title == f"take log-opts.max-size out of {DAEMON}"
    assert remove_host.overwritten(said, have) == ["debug"]
    known.found["debug"] = memory.digest(have, True, "debug")
    have.files[memory.PATH] = File(memory.written(known).encode(), 0o600, 1)  # type: ignore[index]
    assert remove_host.overwritten(said, have) == [], "it had that value before, too"


def test_what_goes_of_daemon_json_is_shown_as_the_host_has_it() -> None:
    mirror = "https://mirror.example.com"
    said = ours(docker={"registry_mirrors": [mirror]})
    there = converged(daemon={"registry-mirrors": [mirror]}, belongings=Belongings(whole=True))
    changes = converge.plan(said, remembered(there, said, "web"), remove.actions({}, False))
    (diff,) = [one.diff for one in changes if DAEMON in one.title]
    assert mirror in diff


def test_a_runner_that_other_settings_have_too_is_theirs() -> None:
    have = remembered(remembered(converged(), ours("theirs"), "web"), ours(), "web")
    assert share.of(ours(), have).mine == {}


def test_with_images_that_are_kept_what_tells_of_them_is_kept() -> None:
    have = host(converged(), OWN, installed=True)
    *_, last = converge.plan(ours(), have, remove.actions({}, keep_images=True))
    assert isinstance(last, Script)
    assert last.title == f"write {memory.PATH}"
    assert "! -name installed" in last.text
    text = memory.written(memory.Memory(images=memory.parsed(have).images)).encode()
    kept = replace(have, containers={}, belongings=Belongings(whole=True))
    kept = replace(kept, files={memory.PATH: File(text, 0o600, 1)})
    assert planned(kept, keep_images=True) == []


def test_a_docker_that_others_use_goes_by_a_later_removal() -> None:
    theirs = OwnedContainer("theirs", "theirs")
    have = host(converged(), OWN, installed=True, containers=(MANAGED, theirs))
    *_, last = converge.plan(ours(), have, remove.actions({}, False))
    assert isinstance(last, Script)
    assert "! -name installed" in last.text
    text = memory.written(memory.Memory(images=memory.parsed(have).images)).encode()
    files = {memory.PATH: File(text, 0o600, 1)}
    files |= {remove_docker.INSTALLED: have.files[remove_docker.INSTALLED]}
    left = replace(have, files=files, containers={})
    used = replace(left, belongings=Belongings((theirs,), whole=True))
    assert planned(used) == []
    assert remove_docker.stays(ours(), used) == "other containers are in it: theirs"
    alone = planned(replace(left, belongings=Belongings(whole=True)))
    assert alone == ["remove Docker and what came with it: 2 packages", "remove /var/lib/runnerkit"]


def test_what_docker_has_is_read() -> None:
    text = """{"container":"/db","image":"1","runner":"","volumes":["data"]}
{"volume":"data","runner":"a\\u001b\\"b"}
{"image":"1","tags":null,"digests":1,"kit":"x"}
{"needed":"curl"}
{"whole":true}"""
    assert parse(text) == Belongings(
        (OwnedContainer("db", "1", "", ("data",)),),
        (OwnedVolume("data", 'a\x1b"b'),),
        (OwnedImage("1", (), True, "x"),),
        ("curl",),
        whole=True,
    )
    assert not parse(text.rpartition("\n")[0]).whole


def test_without_a_settings_file_the_runner_is_known_by_what_bootstrap_was_given() -> None:
    given = replace(want(token=None), origin="")
    part = share.of(given, converged())
    assert (list(part.mine), part.rest, part.alone) == ([0], (), True)


def test_a_host_that_ends_a_pause_is_not_taken_away_from_under_it() -> None:
    have = host(converged())
    have = replace(have, paths=have.paths | {resume.FOLDER})
    with pytest.raises(KitError, match="ends the pause"):
        planned(have)


def test_the_image_of_a_job_that_runs_goes_too_as_it_ends_before() -> None:
    job = OwnedContainer("job", "1", SHORT)
    image = OwnedImage("1", ("debian:bookworm",))
    have = host(converged(), image, containers=(MANAGED, job))
    assert remove_docker.going(ours(), have) == ["debian:bookworm"]
