"""Images by the prefix of a mirror, and pinned ones: where each is pulled from, and what it is called."""

from dataclasses import replace
from typing import Any

import pytest

from runnerkit import converge
from runnerkit.errors import Mistakes
from runnerkit.plan import Pull
from runnerkit.want import Want
from tests.unit.build import HELPER, MANAGER, blank, converged, want

PIN = f"@sha256:{'a' * 64}"
GITLAB = {"registry.gitlab.com": "m.example.com:5000/gl"}
HUB = {"docker.io": "m.example.com/hub"}


def pulls(wanted: Want, **changes: Any) -> dict[str, tuple[str, ...]]:
    plan = converge.plan(wanted, converged(**changes) if changes else blank())
    return {one.image: one.sources for one in plan if isinstance(one, Pull)}


def test_images_of_a_registry_with_a_prefix_mirror_go_there_first_and_keep_their_names() -> None:
    near = HELPER.replace("registry.gitlab.com", "m.example.com:5000/gl")
    beside = "gitlab/gitlab-runner-helper:x86_64-v19.3.0"
    assert pulls(want(docker={"prefix_mirrors": GITLAB})) == {
        MANAGER: (MANAGER,),
        HELPER: (near, beside, HELPER),
        "debian:bookworm": ("debian:bookworm",),
    }


def test_a_prefix_mirror_of_docker_hub_serves_its_official_images_by_their_whole_path() -> None:
    found = pulls(want(docker={"prefix_mirrors": HUB}))
    assert found[MANAGER] == (f"m.example.com/hub/{MANAGER}", MANAGER)
    assert found["debian:bookworm"][0] == "m.example.com/hub/library/debian:bookworm"
    assert found[HELPER][0] == "m.example.com/hub/gitlab/gitlab-runner-helper:x86_64-v19.3.0"


def test_a_base_of_a_job_image_goes_there_first_too() -> None:
    base = "registry.gitlab.com/group/base:1"
    wanted = want(
        docker={"prefix_mirrors": GITLAB},
        images={"tester": {"base": base}},
        runners={"web": {"image": "tester"}},
    )
    assert pulls(wanted)[base] == ("m.example.com:5000/gl/group/base:1", base)


def test_a_pinned_image_is_used_by_the_name_of_the_mirror_that_it_came_by() -> None:
    """An engine knows a digest only by that name: by another it would be pulled again."""
    runner = f"debian:bookworm{PIN}"
    wanted = want(
        docker={"prefix_mirrors": HUB},
        manager={"image": f"{MANAGER}{PIN}"},
        runners={"web": {"image": runner}},
    )
    manager = f"m.example.com/hub/{MANAGER}{PIN}"
    assert wanted.manager.image == manager
    assert wanted.release == "v19.3.0"
    assert wanted.runners[0].image == f"m.example.com/hub/library/{runner}"
    assert pulls(wanted)[manager] == (manager,)


def test_a_pinned_base_is_pulled_by_the_name_that_the_build_asks_for() -> None:
    base = f"registry.gitlab.com/group/base:1{PIN}"
    wanted = want(
        docker={"prefix_mirrors": GITLAB},
        images={"tester": {"base": base}},
        runners={"web": {"image": "tester"}},
    )
    assert pulls(wanted)[base] == (base,)


@pytest.mark.parametrize("there", [PIN, f"@sha256:{'b' * 64}"], ids=["this one", "another"])
def test_a_host_s_image_of_the_tag_with_another_digest_is_pulled_again(there: str) -> None:
    """The manager's, a runner's, and the helper's, which has a name without the digest."""
    helper = f"reg.example.com/helper:1{PIN}"
    wanted = want(
        manager={"image": f"{MANAGER}{PIN}", "helper_image": helper},
        runners={"web": {"image": f"debian:bookworm{PIN}"}},
    )
    held = {
        "gitlab/gitlab-runner": MANAGER,
        "debian": "debian:bookworm",
        "reg.example.com/helper": HELPER,
    }
    images: dict[str, Any] = {}
    for repository, name in held.items():
        image = {"Id": f"sha256:{name}", "RepoDigests": [f"{repository}{there}"]}
        images |= {name: image, f"{repository}{there}": image}
    again = {f"{MANAGER}{PIN}", HELPER, f"debian:bookworm{PIN}"}
    assert {*pulls(wanted, images=images)} == (set() if there == PIN else again)


@pytest.mark.parametrize(
    "value", ["https://m.example.com", "m.example.com/", "M.example.com/x", "m.example.com/x:1"]
)
def test_a_prefix_that_no_name_of_an_image_begins_with_is_refused(value: str) -> None:
    with pytest.raises(Mistakes, match=r"docker\.prefix_mirrors.*how images' names begin"):
        want(docker={"prefix_mirrors": {"registry.gitlab.com": value}})


def test_a_name_with_a_variable_is_left_as_it_is() -> None:
    wanted = replace(want(docker={"prefix_mirrors": HUB}, runners={"web": {"image": "$IMAGE"}}))
    assert wanted.runners[0].image == "$IMAGE"
