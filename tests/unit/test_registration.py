"""Which runner of a host is which, and how one comes to be registered."""

import re

import pytest

from runnerkit import converge
from runnerkit.errors import KitError
from runnerkit.facts import Facts, ServerRunner
from runnerkit.files.register import HINTS
from runnerkit.machine.failure import Failed
from runnerkit.plan import ServerCall
from runnerkit.redact import plain
from runnerkit.resolve import of_host
from runnerkit.settings.load import load
from runnerkit.want import Want
from tests.unit import build
from tests.unit.build import GOOD, blank, converged, want


def titles(wanted: Want, have: Facts) -> list[str]:
    return [change.title for change in converge.plan(wanted, have)]


def test_a_runner_is_known_by_its_token_whatever_its_name() -> None:
    assert titles(want(), converged(GOOD.replace("ci1-web", "by hand"))) == []


def test_a_runner_is_known_by_its_name_where_no_token_is_given() -> None:
    assert titles(want(token=None), converged()) == []


def test_another_gitlab_s_runner_of_that_name_is_not_ours() -> None:
    other = GOOD.replace(build.URL, "https://other.example.com").replace(build.TOKEN, "glrt-other")
    assert titles(want(), converged(other)) == ["register runner ci1-web"]


SAME = (
    *(f"{build.URL}/", f"{build.URL}/ci", f"{build.URL}/ci/", f"{build.URL}:443", f"{build.URL}:443/ci"),
    *(build.URL.upper(), "https://GitLab.Example.com", "HTTPS://gitlab.example.com:443//"),
)  # fmt: skip
OTHER = (
    *("http://gitlab.example.com", "https://gitlab.example.com:8443", "https://gitlab.example.com:80"),
    *("https://gitlab.example.com/GitLab", "https://gitlab.example.com/ci2", "https://gitlab.example"),
)  # fmt: skip


@pytest.mark.parametrize("token", [build.TOKEN, None])
@pytest.mark.parametrize("url", SAME)
def test_an_address_in_another_form_is_the_same_gitlab(url: str, token: str | None) -> None:
    """As gitlab-runner has it, network/client.go: it stays as it is written."""
    assert titles(want(token), converged(GOOD.replace(build.URL, url))) == []
    assert titles(want(token, gitlab={"url": url.lower()}), converged()) == []


@pytest.mark.parametrize("url", OTHER)
def test_an_entry_with_our_token_is_ours_and_gets_our_address(url: str) -> None:
    have = converged(GOOD.replace(build.URL, url))
    (change,) = converge.plan(want(), have)
    assert change.title == f"write {build.CONFIG}"
    assert f'+  url = "{build.URL}"' in change.diff
    assert titles(want("glrt-another0000000000000"), have) == ["register runner ci1-web"]


def test_two_runners_of_one_name_are_refused_also_where_the_hostname_makes_it() -> None:
    both = {"web": {}, "other": {"name": "ci1-web", "image": "debian:bookworm"}}
    with pytest.raises(KitError, match="would both be 'ci1-web'"):
        titles(want(token=None, runners=both), blank())


def test_a_run_without_settings_adopts_the_only_runner_of_that_gitlab() -> None:
    data = {"default": {"image": "debian:bookworm"}}
    wanted = want(token=None)
    wanted = of_host(load(command_line={"gitlab": {"url": build.URL}, "runners": data}), "x")
    assert titles(wanted, converged(GOOD.replace("ci1-web", "by hand"))) == []


def test_a_runner_s_own_token_is_not_given_to_the_only_other_runner() -> None:
    typed = {
        "gitlab": {"url": build.URL},
        "runners": {"default": {"image": "debian:bookworm", "token": {"env": "OTHER_TOKEN"}}},
    }
    other = "glrt-other0000000000000"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("OTHER_TOKEN", other)
        wanted = of_host(load(command_line=typed), "x")
    assert titles(wanted, converged(GOOD.replace("ci1-web", "deploy"))) == ["register runner ci1"]


def test_without_any_token_registration_is_refused_before_anything_else() -> None:
    with pytest.raises(KitError, match="no token to register it with"):
        titles(want(token=None), blank())


def test_the_api_creates_a_runner_with_its_mark_and_what_the_settings_say() -> None:
    wanted = want(
        token=None,
        gitlab={"api_token": {"env": "X"}},
        runners={"web": {"tags": ["a", "b"], "run_untagged": False, "project": 42}},
    )
    create = next(c for c in converge.plan(wanted, blank()) if isinstance(c, ServerCall))
    assert create.data == {
        "runner_type": "project_type",
        "description": "ci1-web",
        "maintenance_note": "runnerkit host=ci1 runner=web",
        "project_id": 42,
        "run_untagged": False,
        "tag_list": ["a", "b"],
    }


def test_hosts_of_one_hostname_are_told_apart_at_gitlab() -> None:
    marks = {want().runners[0].note(Facts("ubuntu", id=number).identity) for number in "12"}
    assert len(marks) == 2
    assert all(mark.startswith("runnerkit host=ubuntu machine=") for mark in marks)


def test_what_an_interrupted_run_created_is_taken_over() -> None:
    wanted = want(token=None, gitlab={"api_token": {"env": "X"}})
    have = converged(files={}, server={"web": ServerRunner(9)})
    assert titles(wanted, have)[1:] == [
        "take over runner ci1-web (#9) at GitLab with a new token",
        "register runner ci1-web",
    ]


def test_gitlab_s_side_is_brought_in_line() -> None:
    wanted = want(
        gitlab={"api_token": {"env": "X"}}, runners={"web": {"tags": ["a"], "paused": True}}
    )
    have = converged(server={"web": ServerRunner(7, tags=frozenset({"b"}), run_untagged=False)})
    (change,) = converge.plan(wanted, have)
    assert isinstance(change, ServerCall)
    assert change.data == {"paused": True, "tag_list": ["a"]}
    assert change.diff.splitlines()[2:] == [
        "@@ -1,2 +1,2 @@",
        "-paused = false",
        '-tag_list = ["b"]',
        "+paused = true",
        '+tag_list = ["a"]',
    ]


@pytest.mark.parametrize("status", ["500 Internal Server Error", "429 Too Many Requests"])
def test_what_gitlab_answers_leads_and_the_fix_fits_it(status: str) -> None:
    stderr = (
        "WARNING: Support for registration tokens is deprecated\n"
        f"\x1b[31;1mERROR: Verifying runner... failed\x1b[0;m  \x1b[31;1mstatus\x1b[0;m={status}\n"
        "PANIC: Failed to verify the runner.\nbye\nbye\nbye\n"
    )
    error = Failed(1, stderr)
    assert error.what.startswith("exit code 1: ERROR: Verifying runner... failed")
    fix = next(hint.fix for hint in HINTS if re.search(hint.pattern, plain(stderr)))
    assert "GitLab itself fails or is overloaded" in fix
