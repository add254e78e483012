"""Jobs' containers without jobs: the options that they get, what they tell, and what that means."""

import os
import subprocess
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from runnerkit.checks.jobs import rehearsal
from runnerkit.facts import Facts, File
from runnerkit.facts.attempt import Attempt, verdict
from runnerkit.facts.job_options import allowed, cases, heeded
from runnerkit.facts.rehearsal import DETECTION, Case, Rehearsal, Volume, parse, script
from runnerkit.fleet.health.rehearsal import SUBJECTS
from runnerkit.images.definition import JobImage
from runnerkit.settings.docker import Docker
from runnerkit.settings.model import Manager
from runnerkit.settings.runner import Runner
from runnerkit.want import Want, WantedRunner

URL = "http://gitlab.example.com"
WANT = Want(URL, Docker(), Manager(), (WantedRunner("web", Runner(name="web"), "tester:latest"),))


def have(docker: Mapping[str, Any], **entry: Any) -> Facts:
    """A host with one runner."""
    own = {"image": "tester:latest", **docker}
    runner = {
        "name": "web",
        "url": URL,
        "token": "glrt-x",
        "executor": "docker",
        **entry,
        "docker": own,
    }
    return Facts(
        "ci1", files={WANT.config: File(tomlkit.dumps({"runners": [runner]}).encode(), 0o600, 0)}
    )


def the_case(docker: Mapping[str, Any], **entry: Any) -> Case:
    (one,) = cases(WANT, have(docker, **entry))
    return one


@pytest.mark.parametrize(
    ("docker", "option"),
    [
        ({"memory": "64m"}, "--memory=64m"),
        ({"cpus": "0.5"}, "--cpus=0.5"),
        ({"dns": ["192.0.2.1", "192.0.2.2"]}, "--dns=192.0.2.2"),
        ({"extra_hosts": ["a:1.2.3.4"]}, "--add-host=a:1.2.3.4"),
        ({"cap_drop": ["NET_RAW"]}, "--cap-drop=NET_RAW"),
        ({"security_opt": ["no-new-privileges:true"]}, "--security-opt=no-new-privileges:true"),
        ({"tmpfs": {"/tmp": "rw,noexec"}}, "--tmpfs=/tmp:rw,noexec"),
        ({"ulimit": {"nofile": "1:2"}}, "--ulimit=nofile=1:2"),
        ({"sysctls": {"net.core.somaxconn": "9"}}, "--sysctl=net.core.somaxconn=9"),
        ({"privileged": True}, "--privileged"),
        ({"network_mode": "host"}, "--network=host"),
        ({"user": "node"}, "--user=node"),
        ({"shm_size": 1024}, "--shm-size=1024"),
    ],
)
def test_a_key_of_config_toml_is_an_option_of_the_container(docker: Any, option: str) -> None:
    assert option in the_case(docker).options


def test_a_key_that_the_manager_does_not_know_yet_is_no_option() -> None:
    docker = {"pid_mode": "host", "group_add": ["4"], "memory": "1g"}
    assert [*heeded(docker, (15, 11))] == ["memory"]
    assert [*heeded(docker, (17, 5))] == ["group_add", "memory"]
    assert heeded(docker, (19, 3)) == heeded(docker, ()) == docker


def test_privileges_are_those_of_the_image() -> None:
    docker = {"privileged": True, "allowed_privileged_images": ["docker:*"]}
    assert "--privileged" not in the_case(docker).options
    assert allowed(["*/*/kit:*", "debian"], "debian")
    assert not allowed(["registry.example.com/*"], "registry.example.com/a/b")
    assert allowed(["registry.example.com/**"], "registry.example.com/a/b")


@pytest.mark.parametrize(
    ("docker", "volumes"),
    [
        ({}, (Volume("/builds"),)),
        ({"volumes": ["/cache"]}, (Volume("/cache"), Volume("/builds"))),
        ({"volumes": ["/cache"], "disable_cache": True}, (Volume("/builds"),)),
        ({"volumes": ["/srv/b:/builds:ro"]}, (Volume("/builds", "/srv/b", "/srv/b:/builds:ro"),)),
        ({"volumes": ["named:/x", "sub"]}, (Volume("/x", "named", "named:/x"), Volume("/builds/sub"), Volume("/builds"))),
    ],
)  # fmt: skip
def test_volumes_are_the_runners_own_or_the_hosts(docker: Any, volumes: tuple[Volume, ...]) -> None:
    assert the_case(docker).volumes == volumes


def test_a_network_for_each_job_is_made_where_the_runner_makes_one() -> None:
    assert the_case({}).network is None
    per_build = {"FF_NETWORK_PER_BUILD": True}
    made = the_case({"network_mtu": 1400}, feature_flags=per_build)
    assert made.network == ("--opt=com.docker.network.driver.mtu=1400",)
    assert the_case({}, environment=["FF_NETWORK_PER_BUILD=1"]).network == ()
    assert the_case({"network_mode": "host"}, feature_flags=per_build).network is None


def test_each_image_is_tried_once_as_each_runner_may_have_it() -> None:
    image = JobImage("lint", "FROM debian")
    runners = (*WANT.runners, WantedRunner("two", Runner(name="two"), "tester:latest"))
    docker = {"image": "tester:latest"}
    entries = [{"name": name, "url": URL, "token": name, "executor": "docker", "docker": docker} for name in ("web", "two")]  # fmt: skip
    file = File(tomlkit.dumps({"runners": entries}).encode(), 0o600, 0)
    found = cases(
        replace(WANT, runners=runners, images=(image,)), Facts("ci1", files={WANT.config: file})
    )
    assert [(one.image, one.runners) for one in found] == [
        ("tester:latest", ("web", "two")),
        (image.reference, ("web", "two")),
    ]
    only = {**docker, "allowed_images": ["tester:*"]}
    assert len(cases(replace(WANT, images=(image,)), have(only))) == 1


@pytest.mark.parametrize("entry", [{"executor": "shell"}, {"executor": "docker-autoscaler"}])
def test_jobs_that_are_elsewhere_are_not_tried(entry: dict[str, str]) -> None:
    assert cases(WANT, have({}, **entry)) == ()
    assert cases(WANT, have({"host": "tcp://10.0.0.1:2375"})) == ()
    assert cases(WANT, have({"image": "$CI_IMAGE"})) == ()


DOCKER = """#!/bin/sh
case $1 in
  image) echo sha256:1 ;;
  volume) exit 1 ;;
  run) printf '%s\\0' "$@" >"$ARGUMENTS"; cat; echo no such network >&2; exit 125 ;;
esac
"""


def test_nothing_that_stands_in_config_toml_is_run_on_the_host(tmp_path: Path) -> None:
    mark = tmp_path / "run"
    evil = f"""'"; touch {mark} #`touch {mark}`\\"""
    docker = {"image": evil, "volumes": [f"{evil}:/x"], "hostname": evil, "dns": [evil]}
    entry = {"environment": [f"A={evil}"], "builds_dir": evil, "clone_url": f"http://{evil}/"}
    one = the_case(docker, **entry, feature_flags={"FF_NETWORK_PER_BUILD": True})
    program = tmp_path / "docker"
    program.write_text(DOCKER)
    program.chmod(0o755)
    text = script([one]).replace("/run/", f"{tmp_path}/").replace("find /run", f"find {tmp_path}")
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "ARGUMENTS": str(tmp_path / "arguments")}
    ran = subprocess.run(["sh"], input=text, text=True, env=env, capture_output=True, check=True)
    (told,) = parse(ran.stdout, [one])
    arguments = (tmp_path / "arguments").read_text().split("\0")
    assert arguments[arguments.index("--hostname") + 1] == evil
    assert f"--dns={evil}" in arguments
    assert (told.code, told.error.splitlines()[0]) == (125, "no such network")
    assert told.absent == (evil,)
    within = tmp_path / "within"
    within.write_text(told.error.partition("\n")[2])  # the script as the container was given it
    subprocess.run(
        ["sh", str(within)], env=env, stdin=subprocess.DEVNULL, check=True, capture_output=True
    )
    assert not mark.exists()
    assert not [*tmp_path.glob("runnerkit.rehearsal.*")]


def ran(one: Case, out: str, code: int = 0, err: str = "") -> Rehearsal:
    """What is read of a container that printed this."""
    word = {name: b64encode(text.encode()).decode() for name, text in (("out", out), ("err", err))}
    lines = [f"state 0 code {code}", f"out 0 {word['out']}", f"err 0 {word['err']}"]
    return parse("\n".join(lines), [one])[0]


GOOD = "@ begins\n@ try gitlab curl\n@ try metadata curl\n@ disk overlay 1 2 {} 4% /builds\n@ gitlab curl 0 \n@ metadata curl 7 x\n@ ends\n"
CASE = Case(("web",), "tester:latest", addresses=(("gitlab", "https://gitlab.example.com"),))


def codes(one: Rehearsal, want: Want = WANT) -> list[str]:
    facts = replace(have({}), rehearsals=(one,))
    return [found.code for found in rehearsal.findings(want, facts)]


def test_a_job_that_has_all_it_needs_is_no_finding() -> None:
    well = ran(CASE, GOOD.format(9_000_000))
    assert codes(well) == []
    facts = replace(have({}), rehearsals=(well,))
    assert all(subject.known(WANT, facts) for subject in SUBJECTS)


@pytest.mark.parametrize(
    ("out", "code", "err", "known"),
    [
        ("", 127, 'docker: Error response from daemon: exec: "sh": executable file not found in $PATH: unknown.', "image-no-shell"),
        ("shell not found\n", 1, "", "image-no-shell"),
        ("", 125, "docker: Error response from daemon: network x not found.", "job-container-fails"),
        ("nginx starts\n", 0, "", "image-entrypoint"),
        ("", 0, "", "image-entrypoint"),
        ("", 1, f"sleep: invalid time interval '{DETECTION}'", "image-entrypoint"),
        ("", 137, "", "job-container-late"),
        (GOOD.format(1000), 0, "", "job-disk-short"),
        (GOOD.format(9_000_000).replace("gitlab curl 0 ", "gitlab getent 2"), 0, "", "job-dns"),
        (GOOD.format(9_000_000).replace("@ gitlab curl 0 \n", ""), 0, "", "job-gitlab-unreachable"),
        (GOOD.format(9_000_000).replace("gitlab curl 0 ", "gitlab curl 60 SSL"), 0, "", "job-certificate"),
    ],
)  # fmt: skip
def test_what_a_container_tells_is_the_finding(out: str, code: int, err: str, known: str) -> None:
    assert codes(ran(CASE, out, code, err)) == [known]


def test_what_no_address_has_is_nothing_to_the_host_and_not_unknown() -> None:
    names, certificate = (
        next(one for one in SUBJECTS if word in one.title) for word in ("names", "certificate")
    )
    for url, expected in (
        ("http://10.0.0.1:8080", (None, None)),
        ("http://gitlab.example.com", (False, None)),
        ("https://10.0.0.1", (None, False)),
    ):
        facts = replace(
            have({}), rehearsals=(ran(replace(CASE, addresses=(("gitlab", url),)), ""),)
        )
        assert (names.known(WANT, facts), certificate.known(WANT, facts)) == expected, url


def test_what_the_host_says_nothing_of_is_late_and_no_error_of_the_kit() -> None:
    assert [one.code for one in parse("", [CASE, CASE])] == [-1, -1]
    odd = "state 0 code " + "9" * 9000, "out 0 abc", "out ² x", f"state {'1' * 9000} code 0"
    assert parse("\n".join(odd), [CASE])[0].code == -1
    assert codes(parse("garbage\nstate x\nout 0 %%", [CASE])[0]) == ["job-container-late"]


def test_an_open_metadata_address_is_an_error_where_it_shall_be_closed() -> None:
    open_ = ran(CASE, GOOD.format(9_000_000).replace("metadata curl 7 x", "metadata curl 22 403"))
    assert codes(open_) == []
    closed = replace(WANT, docker=Docker(metadata="closed"))
    assert codes(open_, closed) == ["job-metadata-open"]
    shared = WantedRunner("web", Runner(name="web", hardening="shared"), "tester:latest")
    let = replace(WANT, docker=Docker(metadata="open"), runners=(shared,))
    assert codes(open_, let) == ["job-metadata-reachable"]


def test_alike_findings_of_many_images_are_one() -> None:
    late = [Rehearsal(replace(CASE, image=name), 137) for name in ("a", "b")]
    facts = replace(have({}), rehearsals=tuple(late))
    (one,) = rehearsal.findings(WANT, facts)
    assert "a of web; b of web" in one.what


@pytest.mark.parametrize(
    ("attempt", "meaning"),
    [
        (Attempt("nothing", 0), ""),
        (Attempt("getent", 2), "unknown name"),
        (Attempt("getent", None), "unknown name"),
        (Attempt("curl", 6, "curl: (6) Could not resolve host: x"), "unknown name"),
        (Attempt("curl", 5, "curl: (5) Could not resolve proxy: x"), "unreached"),
        (Attempt("curl", 28, "curl: (28) Resolving timed out after 3000 milliseconds"), "unknown name"),
        (Attempt("curl", 28, "curl: (28) Connection timed out after 3001 milliseconds"), "unreached"),
        (Attempt("curl", 7, "curl: (7) Failed to connect to x port 80: Connection refused"), "unreached"),
        (Attempt("curl", 60, "curl: (60) SSL certificate problem"), "untrusted"),
        (Attempt("curl", 22, ""), "reached"),
        (Attempt("curl", 52, "curl: (52) Empty reply from server"), "reached"),
        (Attempt("wget", 8, "ERROR 404: Not Found."), "reached"),
        (Attempt("wget", 4, "wget: unable to resolve host address 'x'"), "unknown name"),
        (Attempt("wget", 4, "failed: Connection refused."), "unreached"),
        (Attempt("wget", 5, "ERROR: cannot verify x's certificate"), "untrusted"),
        (Attempt("wget", 1, "wget: bad address 'x'"), "unknown name"),
        (Attempt("wget", 1, "wget: can't connect to remote host (10.0.0.1): Connection refused"), "unreached"),
        (Attempt("wget", 1, "wget: server returned error: HTTP/1.1 404 Not Found"), "reached"),
        (Attempt("wget", 1, "wget: download timed out"), "unreached"),
        (Attempt("wget", 1, "wget: unrecognized option: T"), ""),
        (Attempt("bash", 0), "reached"),
        (Attempt("bash", 1, "bash: connect: Connection refused"), "unreached"),
        (Attempt("bash", 1, "bash: x: Name or service not known"), "unknown name"),
        (Attempt("bash", None), "unreached"),
        (Attempt("nc", 1), "unreached"),
        (Attempt("python3", 1, "<urlopen error [Errno -2] Name or service not known>"), "unknown name"),
        (Attempt("python3", 1, "certificate verify failed: self-signed certificate"), "untrusted"),
    ],
)  # fmt: skip
def test_what_a_tool_ends_with_has_a_meaning(attempt: Attempt, meaning: str) -> None:
    assert verdict(attempt) == meaning
