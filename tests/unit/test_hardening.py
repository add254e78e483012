"""A shared runner, and the metadata address that its jobs must not reach."""

import tomllib
from typing import Any

import pytest
import tomlkit

from runnerkit.checks.jobs import metadata_address
from runnerkit.errors import KitError
from runnerkit.facts import File
from runnerkit.files import config_toml
from runnerkit.files.merge import GIVING, lay_over, missing
from runnerkit.settings.hardening import _patterns
from runnerkit.steps import metadata_rule
from tests.unit.build import GOOD, blank, converged, want

GROUP = {
    "plugin": "fleeting-plugin-static",
    "max_instances": 2,
    "policy": [{"idle_count": 1, "idle_time": "20m"}],
}
UNIT = "/etc/systemd/system/runnerkit-metadata.service"


def entry(**runner: Any) -> dict[str, Any]:
    shared = want(runners={"web": {"hardening": "shared", **runner}})
    return config_toml.runner_wanted(shared.runners[0])


def test_a_trusted_runner_says_nothing_of_privileges() -> None:
    plain = config_toml.runner_wanted(want().runners[0])
    assert set(plain["docker"]) == {"image", "pull_policy"}
    assert plain["docker"]["pull_policy"] == ["if-not-present"]


def test_a_shared_runner_takes_back_what_the_host_s_entry_gives_away() -> None:
    found = {
        "privileged": True,
        "volumes": ["/cache", "/var/run/docker.sock:/var/run/docker.sock", "/:/host"],
        "network_mode": "host",
        "pid_mode": "host",
        "cap_add": ["SYS_ADMIN"],
        "devices": ["/dev/kvm"],
        "services_devices": {"**": ["/dev/sda"]},
        "device_cgroup_rules": ["b *:* rwm"],
        "volume_driver_ops": {"type": "none", "o": "bind", "device": "/"},
    }
    docker = entry()["docker"]
    assert {key for key in found if missing(docker[key], found[key], key)} == set(found)
    assert not missing(docker, {**docker, **dict.fromkeys(GIVING)}), "left out is empty"
    assert not missing({"cap_add": [], "pid_mode": ""}, {}), "left out says the same as empty"
    document = tomlkit.parse(tomlkit.dumps({"docker": found}))
    lay_over(document, {"docker": docker})
    left = tomllib.loads(tomlkit.dumps(document))["docker"]
    assert not missing(docker, left)
    assert not {*GIVING} & {*left}


def test_what_the_settings_say_themselves_wins_key_by_key() -> None:
    mine = entry(
        docker={"privileged": True, "allowed_images": ["**"]},
        settings={"feature_flags": {"FF_NETWORK_PER_BUILD": False}},
    )
    assert mine["docker"]["privileged"] is True
    assert mine["docker"]["allowed_images"] == ["**"]
    assert mine["feature_flags"]["FF_NETWORK_PER_BUILD"] is False
    assert mine["feature_flags"]["FF_ENABLE_JOB_CLEANUP"] is True
    assert mine["docker"]["cap_drop"]


@pytest.mark.parametrize(
    ("settings", "policy"),
    [
        ({"runners": {"web": {"image": "debian:bookworm"}}}, ["always"]),
        ({"runners": {"web": {"image": "ci-node"}}}, ["never"]),
        ({"runners": {"web": {"pull_policy": ["if-not-present"]}}}, ["if-not-present"]),
    ],
)
def test_a_private_image_that_lies_on_the_host_is_nobody_s_to_use(
    settings: dict[str, Any], policy: list[str]
) -> None:
    settings["runners"]["web"]["hardening"] = "shared"
    docker = config_toml.runner_wanted(want(**settings).runners[0])["docker"]
    assert docker["pull_policy"] == docker["allowed_pull_policies"] == policy


@pytest.mark.parametrize(
    ("image", "patterns"),
    [
        ("debian:12", {"debian", "debian:*", "debian@*"}),
        ("acme/tools", {"acme/tools", "acme/tools:*", "acme/tools@*"}),
        ("debian@sha256:0", {"debian", "debian:*", "debian@*"}),
        ("registry.acme.example/ci/node:20", {"registry.acme.example/**"}),
        ("localhost/x", {"localhost/**"}),
        (
            "library/debian",
            {f"{n}{m}" for n in ("debian", "library/debian") for m in ("", ":*", "@*")},
        ),
        (
            "docker.io/library/debian:12",
            {f"{n}{m}" for n in ("debian", "docker.io/library/debian") for m in ("", ":*", "@*")},
        ),
        (
            "index.docker.io/a/b",
            {f"{n}{m}" for n in ("a/b", "index.docker.io/a/b") for m in ("", ":*", "@*")},
        ),
        (
            "docker.io/docker:docker",
            {f"{n}{m}" for n in ("docker", "docker.io/docker") for m in ("", ":*", "@*")},
        ),
        ("Acme/x:1", {"Acme/**"}),
        ("[::1]:5000/x", {r"\[::1\]:5000/**"}),
        ("cache:5000/x/y:1", {"cache:5000/**"}),
        ("", set()),
    ],
)
def test_images_are_allowed_by_registry_and_those_of_docker_hub_by_name(
    image: str, patterns: set[str]
) -> None:
    assert _patterns([image]) == patterns


def test_a_shared_runner_closes_the_metadata_address_and_the_settings_may_open_it() -> None:
    shared: dict[str, Any] = {"runners": {"web": {"hardening": "shared"}}}
    titles = [change.title for change in metadata_rule.changes(want(**shared), converged())]
    assert titles == [
        "write /usr/local/lib/runnerkit/metadata",
        f"write {UNIT}",
        "close the metadata address to containers",
    ]
    assert not [*metadata_rule.changes(want(), converged())]
    assert not [*metadata_rule.changes(want(**shared, docker={"metadata": "open"}), converged())]
    assert [*metadata_rule.changes(want(docker={"metadata": "closed"}), converged())]


def test_an_autoscaler_s_manager_keeps_the_role_of_its_machine() -> None:
    scaled = {"executor": "docker-autoscaler", "hardening": "shared", "autoscaler": GROUP}
    concurrent = {"concurrent": 4}
    assert not want(runners={"web": scaled}, manager=concurrent).metadata_closed


def test_the_rule_is_set_again_where_its_unit_does_not_run_and_goes_with_the_setting() -> None:
    closed = want(docker={"metadata": "closed"})
    written = metadata_rule._files()
    files = {path: File(one.text.encode(), one.mode, 500) for path, one in written.items()}
    units = {"runnerkit-metadata.service": "active"}
    rules = {"DOCKER-USER": "-N DOCKER-USER\n-A DOCKER-USER -d 169.254.169.254/32 -j REJECT\n"}
    assert not [*metadata_rule.changes(closed, converged(files=files, units=units, rules=rules))]
    others: list[dict[str, Any]] = [{"rules": rules}, {"units": units}]
    for lost in (*others, {"units": units, "rules": {"DOCKER-USER": ""}}):
        (start,) = metadata_rule.changes(closed, converged(files=files, **lost))
        assert start.title == "close the metadata address to containers"
    (gone,) = metadata_rule.changes(want(), converged(files=files, units=units))
    assert gone.title == "open the metadata address to containers"


def test_what_escapes_the_rule_is_told() -> None:
    closed = want(
        docker={"metadata": "closed"}, runners={"web": {"docker": {"network_mode": "host"}}}
    )
    nft = {"FirewallBackend": {"Driver": "nftables"}}
    for have, why in (
        (blank(systemd=False), "without systemd nothing sets the rule again when Docker starts"),
        (blank(info=nft), "Docker's nftables backend passes DOCKER-USER by"),
    ):
        found = metadata_address.findings(closed, have)
        assert [one.what.partition(": ")[2] for one in found] == [
            why,
            "runner web has network_mode host",
        ]
        assert not [*metadata_rule.changes(closed, have)], "it would close nothing"
    assert not [*metadata_address.findings(want(), blank(systemd=False, info=nft))]
    other = '\n[[runners]]\nname = "old"\ntoken = "t0"\n[runners.docker]\nnetwork_mode = "host"\n'
    (found_there,) = metadata_address.findings(
        want(docker={"metadata": "closed"}), converged(GOOD + other)
    )
    assert "runner old has network_mode host" in found_there.what


def test_a_shared_runner_s_image_is_not_chosen_by_a_job() -> None:
    with pytest.raises(KitError, match="a job would choose it"):
        want(runners={"web": {"hardening": "shared", "image": "registry.example.com/$IMAGE"}})
