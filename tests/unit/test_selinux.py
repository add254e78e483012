"""A Docker that confines containers by SELinux."""

from dataclasses import replace
from typing import Any

import pytest

from runnerkit import container as containers
from runnerkit import converge
from runnerkit.checks.engine import selinux
from runnerkit.facts import Facts
from tests.unit.build import container, converged, want

SOCKET = "/var/run/docker.sock:/var/run/docker.sock"


def confining(**changes: Any) -> Facts:
    have = converged(**changes)
    options = ["name=seccomp,profile=default", "name=selinux"]
    return replace(have, info={**have.info, "SecurityOptions": options})


def labelled(*options: str) -> Facts:
    return confining(
        containers={"gitlab-runner": container(HostConfig={"SecurityOpt": [*options]})}
    )


def test_a_manager_that_selinux_confines_is_replaced() -> None:
    (replacement,) = converge.plan(want(), confining())
    assert "SELinux keeps Docker's socket from it" in replacement.title
    assert "--security-opt label=disable" in containers.run(want())


@pytest.mark.parametrize(
    "option", ["label=disable", "label:disable", "label=type:container_runtime_t"]
)
def test_a_manager_with_a_label_of_its_own_stays(option: str) -> None:
    assert converge.plan(want(), labelled("no-new-privileges", option)) == []


def test_one_without_any_stays_where_nothing_confines() -> None:
    assert converge.plan(want(), converged()) == []


@pytest.mark.parametrize(
    ("docker", "noted"),
    [
        ({"volumes": ["/cache", SOCKET]}, True),
        ({"volumes": ["/cache", "/srv/npm:/npm:ro"]}, True),
        ({"volumes": ["/cache", "npm:/npm", "/srv/npm:/npm:z", "/srv/pip:/pip:ro,Z"]}, False),
        ({"volumes": ["/cache", SOCKET], "security_opt": ["label=disable"]}, False),
        ({}, False),
    ],
)
def test_a_job_s_mount_that_selinux_keeps_from_it_is_noted(
    docker: dict[str, Any], noted: bool
) -> None:
    wanted = want(runners={"web": {"docker": docker}})
    found = [one.code for one in selinux.findings(wanted, confining())]
    assert found == ["selinux-volume"] * noted
    assert not list(selinux.findings(wanted, converged()))
