"""What a bundle has in place of the network, as plans have it."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from runnerkit import converge
from runnerkit.bundle.reading import Bundle
from runnerkit.errors import KitError
from runnerkit.facts import Facts
from runnerkit.fleet.bundles import make
from runnerkit.fleet.run import Fleet
from runnerkit.images.definition import JobImage
from runnerkit.plan import Load, Pull, Script
from tests.unit.build import HELPER, MANAGER, blank, converged, want
from tests.unit.bundling import NAMES, bundle

LOADS = [f"load {name} from the bundle" for name in sorted(NAMES)]


def titles(made: Bundle, have: Facts, **data: Any) -> list[str]:
    return [one.title for one in converge.plan(replace(want(**data), bundle=made), have)]


def test_a_blank_host_gets_all_of_it_from_the_bundle_and_nothing_from_elsewhere(
    tmp_path: Path,
) -> None:
    made = bundle(tmp_path)
    wanted = replace(want(docker={"registry_mirrors": ["https://mirror.example.com"]}), bundle=made)
    pending = converge.plan(wanted, blank())
    assert [one.image.names[0] for one in pending if isinstance(one, Load)] == [*NAMES]
    (install,) = [one for one in pending if one.title.startswith("install Docker")]
    assert isinstance(install, Script)
    assert install.supply
    assert not [one for one in pending if isinstance(one, Pull)]
    assert {end.name for one in pending for end in one.reaches} == {"GitLab"}


def test_docker_is_the_one_of_the_source_that_the_settings_name(tmp_path: Path) -> None:
    made = bundle(tmp_path, source="docker-ce")
    mirror = {"source": "docker-ce", "package_mirror": "auto"}
    pending = converge.plan(replace(want(docker=mirror), bundle=made), blank())
    (install,) = [one for one in pending if one.title.startswith("install Docker (the bundle's")]
    assert isinstance(install, Script)
    assert "install docker-of-docker-ce $extra" in install.text
    for source in ("distro", "script"):
        with pytest.raises(KitError, match=f'of source "docker-ce"; .* is "{source}"') as caught:
            titles(made, blank(), docker={"source": source})
        assert 'source = "docker-ce"' in caught.value.fix


def test_a_converged_host_needs_nothing_of_it(tmp_path: Path) -> None:
    assert titles(bundle(tmp_path), converged()) == []


def test_an_image_that_is_another_than_the_bundles_is_replaced(tmp_path: Path) -> None:
    have = converged()
    other = {**have.images, "debian:bookworm": {"Id": "sha256:older"}}
    pending = titles(bundle(tmp_path), replace(have, images=other))
    assert pending == ["load debian:bookworm from the bundle"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"os": {"ID": "debian", "VERSION_ID": "13"}},
            r"is for debian-12 \(amd64\); the host is debian-13",
        ),
        ({"os": {"ID": "rocky", "VERSION_ID": "9.4"}}, "the host is rocky-9"),
        ({"os": {}}, "the host is unknown-unknown"),
        ({"architecture": "aarch64"}, "is for amd64; the host is arm64"),
    ],
)
def test_another_system_or_architecture_is_refused_by_name(
    tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(KitError, match=says) as caught:
        titles(bundle(tmp_path), blank(**changes))
    assert "nothing was sent" in caught.value.fix


@pytest.mark.parametrize(
    ("made", "os", "right"),
    [
        ("rocky-9", {"ID": "rocky", "VERSION_ID": "9.4"}, True),
        ("rocky-9", {"ID": "rocky", "VERSION_ID": "10.0"}, False),
        ("rocky-9", {"ID": "almalinux", "VERSION_ID": "9.4"}, False),
        ("fedora-43", {"ID": "fedora", "VERSION_ID": "43"}, True),
        ("fedora-43", {"ID": "fedora", "VERSION_ID": "44"}, False),
        ("openeuler-24.03", {"ID": "openEuler", "VERSION_ID": "24.03"}, True),
        ("openeuler-24.03", {"ID": "openEuler", "VERSION_ID": "24.09"}, False),
        ("ubuntu-24.04", {"ID": "ubuntu", "VERSION_ID": "24.10"}, False),
    ],
)
def test_packages_are_for_one_release_which_has_minor_ones_where_docker_s_site_has(
    tmp_path: Path, made: str, os: dict[str, str], right: bool
) -> None:
    bundled = bundle(tmp_path, source="docker-ce", system=made)
    if right:
        assert titles(bundled, blank(os=os), docker={"source": "docker-ce"})
        return
    with pytest.raises(KitError, match=r"is for .*; the host is"):
        titles(bundled, blank(os=os), docker={"source": "docker-ce"})


def test_a_host_of_another_system_that_has_docker_needs_no_packages(tmp_path: Path) -> None:
    have = replace(converged(images={}), os={"ID": "rocky", "VERSION_ID": "9.4"})
    assert {*titles(bundle(tmp_path), have)} >= {*LOADS}


def test_what_the_bundle_has_not_got_is_named(tmp_path: Path) -> None:
    made = bundle(tmp_path, {MANAGER: [b"m"], HELPER: [b"h"]})
    with pytest.raises(KitError, match="has no image debian:bookworm") as caught:
        titles(made, blank())
    assert "bundle.make" in caught.value.fix


@pytest.mark.parametrize(("job", "says"), [("", " not"), ("web", "not as it is now")])
def test_a_job_image_must_be_as_it_is_defined(tmp_path: Path, job: str, says: str) -> None:
    made = bundle(tmp_path)
    images = (*made.contents.images[:2], _of_job(made, job, "old"))
    made = replace(made, contents=_with(made, images))
    wanted = replace(want(), bundle=made, images=(JobImage("web", "FROM x", inputs="new"),))
    with pytest.raises(KitError, match="has the job image web") as caught:
        converge.plan(replace(wanted, runners=()), blank())
    assert caught.value.what.endswith(says)
    good = replace(made, contents=_with(made, (*images, _of_job(made, "web", "new"))))
    pending = converge.plan(replace(wanted, bundle=good, runners=()), converged())
    assert [one.title for one in pending] == ["load the job image web from the bundle"]


def _of_job(made: Bundle, job: str, inputs: str) -> Any:
    from msgspec.structs import replace as other

    names = ("web:abc", "web:latest") if job else ("debian:bookworm",)
    return other(made.contents.images[2], names=names, job=job, inputs=inputs)


def _with(made: Bundle, images: tuple[Any, ...]) -> Any:
    from msgspec.structs import replace as other

    return other(made.contents, images=images)


def test_a_disk_that_is_too_small_for_all_of_it_is_told_first(tmp_path: Path) -> None:
    layer = b"x" * (9 << 20)
    made = bundle(tmp_path, {name: [layer, name.encode()] for name in NAMES})
    assert titles(made, blank(free_kb=(2048 + 20) << 10))
    with pytest.raises(KitError, match=r"2052 MB free in /, 2057 needed"):
        titles(made, blank(free_kb=(2048 + 4) << 10))


@pytest.mark.parametrize(
    "word",
    ["rocky", "foo-1", "opensuse-leap-15.6", "alpine-3.22", "rocky-9;x", "debian-12 x", "kylin-10"],
)
def test_a_system_that_no_bundle_is_for_is_refused_at_once(tmp_path: Path, word: str) -> None:
    nothing_reached = cast("Fleet", None)
    with pytest.raises(KitError, match=f"--for {word}: no bundle can be made"):
        make.make(nothing_reached, make.Order(tmp_path / "b.tar", f"debian-12,{word}"))
