"""What only doctor finds: facts in, codes out; each of a healthy host with one thing wrong."""

from dataclasses import replace
from typing import Any

import pytest

from runnerkit.facts import Facts, File
from runnerkit.facts.probe import Probe, Reply, Served
from runnerkit.fleet.health.groups import ROWS
from tests.unit.build import GOOD, HELPER, MANAGER, TOKEN, URL, blank, container, converged, want
from tests.unit.test_doctor import codes, diagnosis, healthy

MIRROR = "https://mirror.example.com"
CERT = "certificate"


def config(old: str, new: str) -> Facts:
    assert old in GOOD
    return healthy(GOOD.replace(old, new))


def probed(**changes: Any) -> Facts:
    have = healthy()
    assert have.probe
    return replace(have, probe=replace(have.probe, **changes))


def answered(**changes: Any) -> Facts:
    """GitLab's answer, so changed."""
    have = healthy()
    assert have.probe
    assert have.probe.gitlab
    return probed(gitlab=replace(have.probe.gitlab, **changes))


def served(step: str, status: int = 0, trouble: str = "", where: str = MIRROR) -> Facts:
    """A mirror that comes as far as this."""
    one = Served(where, MANAGER, step, Reply(where, trouble, status=status))
    have = probed(served=(one,))
    return replace(have, info={**have.info, "RegistryConfig": {"Mirrors": [MIRROR + "/"]}})


def manager(**changes: Any) -> Facts:
    return healthy(containers={"gitlab-runner": container(**changes)})


def info(**changes: Any) -> Facts:
    return healthy(info={**healthy().info, **changes})


def lacks(*names: str) -> Facts:
    have = healthy()
    return replace(have, images={key: one for key, one in have.images.items() if key not in names})


LISTEN = 'listen_address = ":9252"\nconcurrent = 1'
PUBLISHED = {"PortBindings": {"9252/tcp": [{"HostIp": "", "HostPort": "9252"}]}}
SICK: dict[str, tuple[Facts, str]] = {
    "a second service": (healthy(units={"gitlab-runner.service": "active"}), "runner-service"),
    "the package": (
        healthy(paths=frozenset({"/usr/share/gitlab-runner/clear-docker-cache"})), "runner-package",
    ),
    "another container": (probed(containers={"old": "gitlab/gitlab-runner:v15"}), "runner-container"),
    "AppArmor without its parser": (
        replace(info(SecurityOptions=["name=apparmor"]), probe=probed(apparmor_parser=False).probe),
        "apparmor-parser",
    ),
    "Docker from a snap": (
        replace(info(DockerRootDir="/var/snap/docker/x"), paths=frozenset({"/snap/bin/docker"})),
        "engine-snap",
    ),
    "larger packets": (probed(route_mtu=1400, bridge_mtu=1500), "mtu-larger"),
    "a proxy of the host": (
        probed(proxies=('export HTTPS_PROXY="http://u:sentinel@proxy:3128"',)), "proxy-not-of-docker",
    ),
    "a proxy of Docker": (info(HttpsProxy="http://proxy:3128"), "proxy-not-of-manager"),
    "a proxy for what is near": (
        replace(
            manager(Config={"Env": ["https_proxy=http://proxy:3128", "NO_PROXY=.internal"]}),
            probe=probed(names={"gitlab.example.com": ("10.1.2.3",)}).probe,
        ),
        "proxy-for-gitlab",
    ),
    "no forwarding": (probed(forwards=False), "forwarding-refused"),
    "no such name": (answered(trouble="name"), "gitlab-unresolved"),
    "nothing there": (answered(trouble="connection", why="refused"), "gitlab-unreachable"),
    "silence": (answered(trouble="silence"), "gitlab-unreachable"),
    "another CA": (answered(trouble=CERT, why="self-signed"), "gitlab-certificate-untrusted"),
    "an old certificate": (
        answered(trouble=CERT, why="certificate has expired"), "gitlab-certificate-expired",
    ),
    "another name": (
        answered(trouble=CERT, why="Hostname mismatch, certificate is not valid for 'x'"),
        "gitlab-certificate-name",
    ),
    "no TLS": (answered(trouble="nonsense", why="WRONG_VERSION_NUMBER"), "gitlab-no-tls"),
    "GitLab is down": (answered(status=502), "gitlab-failing"),
    "a login page": (answered(status=302, place="https://login"), "gitlab-other"),
    "a page for people": (answered(status=200, kind="text/html"), "gitlab-other"),
    "a slow answer": (answered(seconds=3.0), "gitlab-slow"),
    "a clock behind": (answered(skew=-86400), "clock-off"),
    "a mirror that is gone": (served("door", trouble="connection"), "registry-unreachable"),
    "a mirror of another CA": (served("door", trouble=CERT), "registry-certificate"),
    "a mirror that is none": (served("door", 404), "registry-other"),
    "no token service": (served("token", trouble="connection"), "registry-token"),
    "a list of images": (served("blob", 403), "registry-refuses"),
    "no such manifest": (served("manifest", 404), "registry-lacks"),
    "no quota": (served("manifest", 402), "registry-quota"),
    "an unknown key": (config("concurrent = 1", "novel = 1"), ""),
    "the program's word": (probed(lint="ERROR: unknown key: novel"), "config-lint"),
    "a registration token": (config(TOKEN, "GR1348941abcdefghij"), "token-of-other-kind"),
    "a token of the old kind": (config(TOKEN, "unit00000unit0000000"), "token-of-old-kind"),
    "no restart": (manager(HostConfig={"RestartPolicy": {"Name": "no"}}), "manager-not-restarted"),
    "a large log": (probed(log_bytes=1 << 30), "manager-log-large"),
    "a manager of an older kit": (
        manager(Config={"Image": MANAGER, "Env": [], "StopTimeout": 3600}), "manager-stops-slowly",
    ),
    "an open profiler": (
        replace(healthy(GOOD.replace("concurrent = 1", LISTEN)), containers=manager(HostConfig=PUBLISHED).containers),
        "manager-listens",
    ),
    "the socket": (
        config('["/cache"]', '["/var/run/docker.sock:/var/run/docker.sock"]'), "socket-in-jobs",
    ),
    "no helper": (lacks(HELPER), "helper-absent"),
}  # fmt: skip


@pytest.mark.parametrize("case", SICK)
def test_one_thing_wrong_is_found_as_itself(case: str) -> None:
    have, code = SICK[case]
    token = TOKEN if TOKEN in have.files["/srv/gitlab-runner/config/config.toml"].text else None
    found = [one for one in diagnosis(have).findings if token or not one.code.startswith("runner-")]
    assert [one.code for one in found] == ([code] if code else [])
    assert not [one for one in found if "sentinel" in one.what + one.fix]


def test_before_there_is_lint_the_kit_tells_keys_by_its_own_list() -> None:
    old = MANAGER.replace("v19.3.0", "v17.5.5")
    have = config("concurrent = 1", "concurrent = 1\nconcurent = 2")
    have = replace(have, images={**have.images, old: {"Id": f"sha256:{MANAGER}"}, **old_helper()})
    found = diagnosis(have, manager={"image": old})
    assert codes(found) == ["config-unknown-key"]
    assert "concurent (did you mean 'concurrent'?)" in found.findings[0].what


def old_helper() -> dict[str, dict[str, str]]:
    return {HELPER.replace("v19.3.0", "v17.5.5"): {"Id": "sha256:1"}}


ENGINES: dict[str, tuple[dict[str, Any], str]] = {
    "none": ({"dockerd": False, "started": 0}, "engine-absent"),
    "Podman by that name": ({"dockerd": False, "podman": True, "started": 0}, "engine-podman"),
    "stopped": ({"started": 0}, "engine-stopped"),
    "one that hangs": ({}, "engine-silent"),
}


@pytest.mark.parametrize("case", ENGINES)
def test_an_engine_that_does_not_answer_is_all_that_is_found(case: str) -> None:
    changes, code = ENGINES[case]
    gone = {"info": {}, "images": {}, "containers": {}, "verify": "", **changes}
    assert codes(diagnosis(healthy(**gone))) == [code]


def test_privileged_jobs_without_tags_are_noted() -> None:
    have = config('image = "debian:bookworm"', 'image = "debian:bookworm"\n    privileged = true')
    web = {"image": "debian:bookworm", "run_untagged": True, "docker": {"privileged": True}}
    found = [
        one for one in diagnosis(have, runners={"web": web}).findings if "privileged" in one.code
    ]
    assert [one.code for one in found] == ["privileged-untagged"]
    assert not [one for one in codes(diagnosis(have)) if "privileged" in one]


def test_an_image_that_is_nowhere() -> None:
    never = {"image": "debian:bookworm", "pull_policy": ["never"]}
    found = diagnosis(lacks("debian:bookworm"), runners={"web": never})
    assert codes(found) == ["image-never-pulled"]


def test_a_registry_of_which_all_is_here_is_only_noted() -> None:
    far = served("door", trouble="connection", where="docker.io")
    (found,) = diagnosis(far).findings
    assert (found.code, found.level) == ("registry-unreachable", "note")


BLANK: dict[str, tuple[Facts, str]] = {
    "Debian": (blank(probe=Probe()), ""),
    "a distribution without Docker": (
        blank(probe=Probe(), os={"ID": "kylin", "NAME": "Kylin"}), "distribution-unsupported",
    ),
    "one with another source": (
        blank(probe=Probe(), os={"ID": "rhel", "VERSION_ID": "9"}), "docker-source-unfit",
    ),
    "another processor": (blank(probe=Probe(), architecture="mips64"), "architecture-unsupported"),
    "Podman by that name": (blank(probe=Probe(), podman=True), "engine-podman"),
    "no packages": (
        blank(probe=Probe(packages=(Reply("http://deb.example.com", "name"),))),
        "packages-unreachable",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BLANK)
def test_a_blank_host_is_only_asked_what_bootstrap_needs(case: str) -> None:
    have, code = BLANK[case]
    found = [
        one.code
        for row in ROWS
        if row.when in ("both", "before")
        for one in row.check.findings(want(), have)
    ]
    assert found == ([code] if code else [])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
@pytest.mark.parametrize("text", ["runners = [{}]", f'[[runners]]\nurl = "{URL}"\ndocker = 5'])
def test_no_check_fails_on_odd_facts(row: Any, text: str) -> None:
    for have in (Facts("x"), converged(text), healthy(text), healthy(info={"ServerVersion": "1"})):
        odd = replace(have, files={**have.files, "x": File(b"\xff", 0o777, 1)})
        list(row.check.findings(want(docker={"registry_mirrors": [MIRROR]}), odd))
        row.known(want(), odd)
