"""Which helper images a host is given, and under which names."""

import pytest

from runnerkit import converge
from runnerkit.plan import Pull
from runnerkit.steps import image_pulls
from tests.unit import build
from tests.unit.build import MANAGER, blank, converged, want


def test_the_helper_is_pulled_beside_the_manager_s_image_and_given_its_exact_name() -> None:
    wanted = want(manager={"image": "reg.example.com:5000/ci/gitlab-runner:alpine-v17.5.5"})
    pulls = [c for c in converge.plan(wanted, blank(architecture="aarch64")) if isinstance(c, Pull)]
    assert pulls[1].sources[0] == "reg.example.com:5000/ci/gitlab-runner-helper:arm64-v17.5.5"
    assert pulls[1].image == build.HELPER.replace("x86_64-v19.3.0", "arm64-v17.5.5")


@pytest.mark.parametrize("image", ["gitlab/gitlab-runner:latest", "gitlab/gitlab-runner:v15.11.1"])
def test_a_helper_whose_name_cannot_be_known_is_left_to_the_runner(image: str) -> None:
    pulls = [
        c for c in converge.plan(want(manager={"image": image}), blank()) if isinstance(c, Pull)
    ]
    assert [pull.image for pull in pulls] == [image, "debian:bookworm"]


def test_a_runner_s_own_helper_is_pulled_in_place_of_the_usual_one() -> None:
    own = "reg.example.com/helper:x86_64-v15.11.1"
    runners = {"web": {"docker": {"helper_image": own}}}
    result = want(runners=runners)
    pulls = [c.image for c in converge.plan(result, blank()) if isinstance(c, Pull)]
    assert pulls == [MANAGER, own, "debian:bookworm"]
    assert own in image_pulls.needs(result).images
    there = converged(
        images={name: {"Id": f"sha256:{name}"} for name in (MANAGER, own, "debian:bookworm")}
    )
    assert not [c for c in converge.plan(result, there) if isinstance(c, Pull)]


def test_a_helper_named_by_a_variable_is_left_to_the_runner() -> None:
    runners = {"web": {"docker": {"helper_image": "h:x86_64-${CI_RUNNER_VERSION}"}}}
    pulls = [c.image for c in converge.plan(want(runners=runners), blank()) if isinstance(c, Pull)]
    assert pulls == [MANAGER, "debian:bookworm"]
