"""What a bundle has beside images and packages: an autoscaler's plugins, and the image of a site's cache."""

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace as other

from runnerkit import converge
from runnerkit.bundle.contents import AGAIN, BundledPlugin, Part, parsed, written
from runnerkit.bundle.reading import Bundle
from runnerkit.errors import KitError
from runnerkit.facts import Facts, File
from runnerkit.images import reference
from runnerkit.images.reference import known_as, tagged
from runnerkit.plan import Load, Pull, Script
from runnerkit.report.bundles import listed
from runnerkit.steps import fleeting, image_pulls, site_cache
from runnerkit.want import Want
from tests.unit.build import HELPER, blank, converged, want
from tests.unit.bundling import NAMES, bundle
from tests.unit.test_autoscaler import MARK, host, scaled
from tests.unit.test_site_cache import cache, serving

FOLDER = "registry.gitlab.com/gitlab-org/fleeting/plugins/aws/1.0.1"
NOTE = f"runner: x, plugin: aws:1, path: /etc/gitlab-runner/fleeting/{FOLDER}/plugin\n"
DIGEST = "sha256:" + "a" * 64
PINNED = f"registry:2.8.3@{DIGEST}"
TAG = f"registry:2.8.3-sha256-{'a' * 64}"


def with_plugin(folder: Path, **changes: Any) -> Bundle:
    """A bundle with the plugin aws:1."""
    made, member = bundle(folder), f"plugins/{FOLDER}/plugin"
    plugin = other(BundledPlugin("aws:1", {f"{FOLDER}/plugin": member}, NOTE), **changes)
    parts = {**made.contents.parts, member: Part(7, "sha256:" + "b" * 64)}
    return replace(made, contents=other(made.contents, plugins=(plugin,), parts=parts))


def plugin_changes(made: Bundle, have: Facts) -> list[Script]:
    found = converge.plan(replace(scaled(), bundle=made), have, (fleeting,))
    return [one for one in found if isinstance(one, Script)]


def test_a_plugin_of_a_bundle_is_put_where_the_manager_looks_and_nothing_is_fetched(
    tmp_path: Path,
) -> None:
    made = with_plugin(tmp_path)
    (change,) = plugin_changes(made, replace(host(), files={}))
    assert change.title == "install the fleeting plugin aws:1 from the bundle"
    assert change.supply
    assert list(change.supply.parts.values()) == [f"plugins/{FOLDER}/plugin"]
    assert "docker" not in change.text.replace("runnerkit", "")
    assert plugin_changes(made, replace(host(), files={MARK: File(NOTE.encode(), 0o644, 1)})) == []
    older = File(NOTE.replace("1.0.1", "1.0.0").encode(), 0o644, 1)
    assert plugin_changes(made, replace(host(), files={MARK: older})) == [change]


def test_its_script_leaves_the_plugin_to_be_run_and_says_which_it_is(tmp_path: Path) -> None:
    (change,) = plugin_changes(with_plugin(tmp_path), replace(host(), files={}))
    config, sent = tmp_path / "config", tmp_path / "sent"
    sent.mkdir()
    (sent / ("b" * 64)).write_text("#!/bin/sh\necho plugged\n")
    text = change.text.replace("/srv/gitlab-runner/config", str(config))
    subprocess.run(["sh", "-c", text.replace("/var/lib/runnerkit/bundle", str(sent))], check=True)
    ran = subprocess.run(
        [config / "fleeting" / FOLDER / "plugin"], check=True, capture_output=True, text=True
    )
    assert ran.stdout == "plugged\n"
    assert (config / MARK.partition("/config/")[2]).read_text() == NOTE
    assert not sent.exists()


def test_a_plugin_that_the_bundle_has_not_got_is_named(tmp_path: Path) -> None:
    with pytest.raises(KitError, match="has no fleeting plugin aws:1") as caught:
        plugin_changes(bundle(tmp_path), host())
    assert "bundle.make" in caught.value.fix


def test_a_plugin_is_listed_with_its_version(tmp_path: Path) -> None:
    (row,) = [one for one in listed(with_plugin(tmp_path)).lines if one.startswith("plugin ")]
    assert row.split()[1:4] == ["aws:1", "1.0.1", "b" * 12]


def test_a_plugin_stays_in_its_folder(tmp_path: Path) -> None:
    made = with_plugin(tmp_path, files={"a/../../config.toml": f"plugins/{FOLDER}/plugin"})
    with pytest.raises(KitError, match="has the plugin aws:1 with wrong names") as caught:
        parsed(written(made.contents), "b.tar")
    assert caught.value.fix == AGAIN


def test_a_plugin_that_is_not_in_the_list_is_missed(tmp_path: Path) -> None:
    made = with_plugin(tmp_path, files={f"{FOLDER}/plugin": "plugins/other"})
    with pytest.raises(KitError, match="does not list plugins/other"):
        parsed(written(made.contents), "b.tar")


def pinned(made: Bundle | None) -> Want:
    wanted = cache(docker={"registry_image": PINNED})
    return replace(wanted, bundle=made)


def test_the_image_of_a_cache_comes_from_the_bundle_by_the_tag_of_its_digest(
    tmp_path: Path,
) -> None:
    made = bundle(tmp_path, {name: [name.encode()] for name in (*NAMES, TAG)})
    pending = converge.plan(pinned(made), blank())
    assert next(one for one in pending if isinstance(one, Load)).image.names == (TAG,)
    assert not [one for one in pending if isinstance(one, Pull)]
    (run,) = [one for one in pending if one.title.startswith("run the cache")]
    assert isinstance(run, Script)
    assert f"--entrypoint sh {TAG} -c" in run.text


@pytest.mark.parametrize("bundled", [True, False])
@pytest.mark.parametrize("name", [TAG, f"registry@{DIGEST}"])
def test_a_cache_whose_image_is_there_by_either_name_is_left_alone(
    tmp_path: Path, bundled: bool, name: str
) -> None:
    made = bundle(tmp_path, {one: [one.encode()] for one in (*NAMES, TAG)})
    wanted = pinned(made if bundled else None)
    have = serving(pinned(None))
    image = {"Id": f"sha256:{TAG}"}
    now = {**have.containers["runnerkit-cache"], "Image": image["Id"]}
    containers = {**have.containers, "runnerkit-cache": now}
    images = {**converged().images, name: image}
    have = replace(have, images=images, containers=containers)
    assert converge.plan(wanted, have, (site_cache,)) == []


def test_a_cache_whose_image_the_bundle_has_not_got_is_told(tmp_path: Path) -> None:
    with pytest.raises(KitError, match=r"has no image registry:2\.8\.3-sha256-a"):
        converge.plan(pinned(bundle(tmp_path)), blank())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("registry:2", "registry:2"),
        (PINNED, TAG),
        (f"m.example.com:5000/library/{PINNED}", f"m.example.com:5000/library/{TAG}"),
        (f"registry@{DIGEST}", f"registry:sha256-{'a' * 64}"),
    ],
)
def test_what_is_pinned_has_the_tag_of_its_digest(name: str, expected: str) -> None:
    assert tagged(name) == expected
    assert known_as(name, {}) == name
    assert known_as(name, {expected: {}}) == expected


@pytest.mark.parametrize(
    "name",
    [
        PINNED,
        f"registry@{DIGEST}",
        f"m.example.com:5000/a/b:v1-alpine@{DIGEST}",
        "registry:2",
        "a/b",
    ],
)
def test_a_pin_can_be_read_from_the_tag(name: str) -> None:
    assert reference.pinned(tagged(name)) == name


@pytest.mark.parametrize("name", [f"x-sha256-{'a' * 64}", "registry:2-sha256-abc", ""])
def test_what_only_looks_like_a_pin_is_none(name: str) -> None:
    assert reference.pinned(name) == name


def test_an_image_that_is_pinned_by_its_tag_is_pulled_by_the_digest(tmp_path: Path) -> None:
    name = f"gitlab/gitlab-runner:v19.3.0@{DIGEST}"
    prefixes = {"docker.io": "m.example.com/hub"}
    wanted = want(manager={"image": tagged(name)}, docker={"prefix_mirrors": prefixes})
    assert wanted.release == "v19.3.0"
    pending = converge.plan(wanted, blank(), (image_pulls,))
    pull = next(one for one in pending if isinstance(one, Pull))
    assert pull.image == tagged(name)
    assert pull.sources == (f"m.example.com/hub/{name}", name)
    made = bundle(tmp_path, {one: [one.encode()] for one in (tagged(name), *NAMES[1:])})
    bundled = converge.plan(replace(wanted, bundle=made), blank(), (image_pulls,))
    assert bundled[0].title == f"load {tagged(name)} from the bundle"


@pytest.mark.parametrize("written_as", ["pin", "tag"])
def test_a_pinned_helper_of_a_bundle_is_not_pulled_again(written_as: str) -> None:
    pin = f"gitlab/gitlab-runner-helper:x86_64-v19.3.0@{DIGEST}"
    wanted = want(manager={"helper_image": pin if written_as == "pin" else tagged(pin)})
    image: dict[str, Any] = {"Id": "sha256:h", "RepoTags": [HELPER, tagged(pin)]}
    have = replace(converged(), images={**converged().images, HELPER: image})
    assert converge.plan(wanted, have, (image_pulls,)) == []
    other_one = {**image, "RepoTags": [HELPER]}
    have = replace(have, images={**have.images, HELPER: other_one})
    (pull,) = converge.plan(wanted, have, (image_pulls,))
    assert isinstance(pull, Pull)
    assert pull.sources == (pin,)
