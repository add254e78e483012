"""What is noted when a host is set up, because it bites later."""

from dataclasses import replace
from typing import Any

import pytest

from runnerkit import resolve
from runnerkit.checks.engine import upgrades
from runnerkit.checks.gitlab import expiry
from runnerkit.checks.jobs import cache_poisoning
from runnerkit.facts import Facts, File, ServerRunner
from runnerkit.settings.load import load
from tests.unit.build import GOOD, URL, blank, converged, want

KEEPS = "\n[runners.feature_flags]\nFF_DISABLE_AUTOMATIC_TOKEN_ROTATION = true\n"


def codes(check: Any, wanted: Any, have: Facts) -> list[str]:
    return [one.code for one in check.findings(wanted, have)]


@pytest.mark.parametrize(
    ("hosts", "config", "server", "options", "noted"),
    [
        (2, "token_expires_at = 2027-03-01T00:00:00Z\n", "", {}, True),
        (2, "", "2027-03-01T00:00:00Z", {}, True),
        (1, "token_expires_at = 2027-03-01T00:00:00Z\n", "", {}, False),
        (2, "token_expires_at = 0001-01-01T00:00:00Z\n", "", {}, False),
        (2, f"token_expires_at = 2027-03-01T00:00:00Z\n{KEEPS}", "", {}, False),
        (2, "token_expires_at = 2027-03-01T00:00:00Z\n", "", {"token": "glrt-another0000000"}, False),
        (2, "token_expires_at = 2027-03-01T00:00:00Z\n", "", {"token": None}, True),
        (
            2, "token_expires_at = 2027-03-01T00:00:00Z\n", "",
            {"token": None, "gitlab": {"api_token": {"env": "GITLAB_TOKEN"}}}, False,
        ),
    ],
)  # fmt: skip
def test_a_token_that_several_hosts_share_and_gitlab_ends_is_noted(
    hosts: int, config: str, server: str, options: dict[str, Any], noted: bool
) -> None:
    wanted = want(**options)
    wanted = replace(wanted, runners=(replace(wanted.runners[0], hosts=hosts),))
    text = GOOD.replace('  executor = "docker"\n', f'  executor = "docker"\n{config}', 1)
    known = {"web": ServerRunner(7, token_expires_at=server)} if server else {}
    have = converged(text, server=known, now=1)
    assert codes(expiry, wanted, have) == ["token-shared-ends"] * noted


def test_hosts_share_the_token_of_a_runner_that_both_have() -> None:
    token = {"token": {"env": "RUNNER_TOKEN"}, "image": "debian"}
    data: dict[str, Any] = {"gitlab": {"url": URL}, "runners": {"web": token}}
    run = load(command_line=data)
    assert [resolve.of_host(run, "a", beside=hosts).runners[0].hosts for hosts in ("a", "ab")] == [
        1,
        2,
    ]
    other = {"b": {"address": "b", "runners": []}, **{name: {"address": name} for name in "acd"}}
    named = load(command_line={**data, "hosts": other})
    assert resolve.of_host(named, "a", beside="ab").runners[0].hosts == 3
    del token["token"]
    assert resolve.of_host(load(command_line=data), "a", beside="ab").runners[0].hosts == 1


@pytest.mark.parametrize(
    ("image", "runner", "noted"),
    [
        ("gitlab/gitlab-runner:v18.7.2", {"hardening": "shared"}, True),
        ("gitlab/gitlab-runner:alpine-v17.5.5", {"type": "instance_type"}, True),
        ("gitlab/gitlab-runner:v9.0.0", {"group": 3}, True),
        ("gitlab/gitlab-runner:v18.8.0", {"hardening": "shared"}, False),
        ("gitlab/gitlab-runner:v19.0.1", {"hardening": "shared"}, False),
        ("gitlab/gitlab-runner:v17.5.5", {}, False),
        ("gitlab/gitlab-runner:v17.5.5", {"project": 3}, False),
        ("gitlab/gitlab-runner:latest", {"hardening": "shared"}, False),
        ("gitlab/gitlab-runner:v17.5.5", {"hardening": "shared", "docker": {"disable_cache": True}}, False),
    ],
)  # fmt: skip
def test_a_manager_by_which_caches_can_be_poisoned_is_noted(
    image: str, runner: dict[str, Any], noted: bool
) -> None:
    wanted = want(manager={"image": image}, runners={"web": runner})
    assert codes(cache_poisoning, wanted, blank()) == ["cache-poisonable"] * noted


APT = (
    'APT::Periodic::Unattended-Upgrade "1";',
    'Unattended-Upgrade::Origins-Pattern "";',
    'Unattended-Upgrade::Origins-Pattern:: "origin=Debian,codename=${distro_codename},label=Debian";',
    'Unattended-Upgrade::Origins-Pattern:: "origin=Debian,codename=${distro_codename}-security,label=Debian-Security";',
    'Unattended-Upgrade::Package-Blacklist "";',
)
UBUNTU = {"ID": "ubuntu", "VERSION_CODENAME": "jammy"}
MINT = {
    "ID": "linuxmint",
    "ID_LIKE": "ubuntu debian",
    "VERSION_CODENAME": "x",
    "UBUNTU_CODENAME": "jammy",
}
UBUNTU_APT = (
    APT[0],
    'Unattended-Upgrade::Allowed-Origins:: "${distro_id}:${distro_codename}-security";',
    'Unattended-Upgrade::Allowed-Origins:: "${distro_id}ESMApps:${distro_codename}-apps-security";',
)
DISTRO, CE = "package docker.io install", "package docker-ce install"
OWN = 'Unattended-Upgrade::Origins-Pattern:: "origin=Docker,codename=${distro_codename}";'


def kept(pattern: str) -> str:
    return f'Unattended-Upgrade::Package-Blacklist:: "{pattern}";'


@pytest.mark.parametrize(
    ("lines", "changes", "noted"),
    [
        ((), {}, False),
        ((*APT, DISTRO), {}, True),
        ((*APT, CE), {}, False),
        ((*APT, OWN, CE), {}, True),
        ((*APT, 'Unattended-Upgrade::Allowed-Origins:: "Docker:bookworm";', CE), {}, True),
        ((*APT, 'Unattended-Upgrade::Allowed-Origins:: "Docker bookworm";', CE), {}, True),
        ((*APT, 'Unattended-Upgrade::Origins-Pattern:: "site=download.docker.com";', CE), {}, True),
        ((*APT, 'Unattended-Upgrade::Origins-Pattern:: "site=security.debian.org";', CE), {}, False),
        ((*APT, 'Unattended-Upgrade::Origins-Pattern:: "o=*";', CE), {}, True),
        ((*APT, "package docker.io hold"), {}, False),
        ((*APT, DISTRO, kept("docker")), {}, False),
        ((*APT, DISTRO, kept("docker\\\\.io$")), {}, True),  # a backslash of apt.conf, doubled
        ((*APT, DISTRO, kept("docker\\.io$")), {}, False),
        ((*APT, DISTRO, kept("dock.*")), {}, False),
        ((*APT, DISTRO, kept("docker$")), {}, True),
        ((*APT, DISTRO, kept("linux-")), {}, True),
        ((*APT, DISTRO, kept("(((((a*)*)*)*)*)*$")), {}, True),
        ((*APT, DISTRO, 'Unattended-Upgrade::Package-Whitelist:: "linux";'), {}, False),
        ((*APT, DISTRO, 'APT::Periodic::Enable "0";'), {}, False),
        ((*APT, DISTRO, 'APT::Periodic::Unattended-Upgrade "0";'), {}, False),
        ((*APT, DISTRO), {"paths": frozenset()}, False),
        ((*APT, DISTRO), {"paths": frozenset({upgrades.ENABLED, upgrades.MASK})}, False),
        ((*APT, DISTRO), {"systemd": False}, False),
        ((*APT, DISTRO), {"systemd": False, "paths": frozenset({upgrades.CRON})}, True),
        ((*UBUNTU_APT, DISTRO), {"os": UBUNTU}, True),
        ((*UBUNTU_APT, DISTRO), {"os": MINT}, True),
        ((*UBUNTU_APT, CE), {"os": UBUNTU}, False),
        ((UBUNTU_APT[0], UBUNTU_APT[2], DISTRO), {"os": UBUNTU}, False),
    ],
)  # fmt: skip
def test_an_engine_that_unattended_upgrades_replaces_is_noted(
    lines: tuple[str, ...], changes: dict[str, Any], noted: bool
) -> None:
    have = converged(upgrades=lines, **{"paths": frozenset({upgrades.ENABLED}), **changes})
    assert codes(upgrades, want(), have) == ["engine-unattended"] * noted


PLAIN, _, INSTALL = upgrades.TIMERS
DNF4, DNF5 = upgrades.LOCKS


@pytest.mark.parametrize(
    ("timer", "automatic", "more", "noted"),
    [
        (PLAIN, "[commands]\napply_updates = yes\n", {}, "moby-engine"),
        (PLAIN, "[commands]\napply_updates = no\n", {}, ""),
        ("", "[commands]\napply_updates = yes\n", {}, ""),
        (INSTALL, "", {}, "moby-engine"),
        (INSTALL, "no section\n", {}, "moby-engine"),
        (INSTALL, "[commands]\nupgrade_type = security\n", {}, "moby-engine"),
        (INSTALL, "[commands]\nupgrade_type = security\n", {upgrades.DOCKER_REPO: ""}, ""),
        (INSTALL, "", {upgrades.DOCKER_REPO: ""}, "docker-ce"),
        (INSTALL, "[base]\nexcludepkgs = kernel* docker*\n", {upgrades.DOCKER_REPO: ""}, ""),
        (INSTALL, "", {upgrades.DNF: "[main]\nexclude=moby-engine,x\n"}, ""),
        (INSTALL, "", {DNF4: "# x\nmoby-engine-0:24.0.5-1.fc39.*\n"}, ""),
        (INSTALL, "", {DNF4: "# moby-engine-\nother-1\n"}, "moby-engine"),
        (INSTALL, "", {DNF5: '[[packages]]\nname = "moby-engine"\n'}, ""),
        (INSTALL, "", {DNF5: '[[packages]]\nname = "moby"\n'}, "moby-engine"),
    ],
)  # fmt: skip
def test_an_engine_that_dnf_automatic_replaces_is_noted(
    timer: str, automatic: str, more: dict[str, str], noted: str
) -> None:
    texts = {upgrades.AUTOMATIC: automatic, **more}
    files = {path: File(text.encode(), 0o644, 1) for path, text in texts.items()}
    have = blank(dockerd=True, os={"ID": "fedora"}, files=files, paths=frozenset({timer, *files}))
    found = [one.what for one in upgrades.findings(want(), have)]
    assert [noted in one for one in found] == ([True] if noted else [])
