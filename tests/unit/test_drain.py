"""What drains a host and what resumes it, from whatever a run that was cut off has left."""

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runnerkit import converge
from runnerkit.actions import drain
from runnerkit.actions.drain import Drain, EndJobs, Undrain, Watched
from runnerkit.checks.runner import manager_container, managers
from runnerkit.container import drain as drain_of
from runnerkit.errors import KitError
from runnerkit.facts import Facts, File, Job, belongings
from runnerkit.facts.look import job_containers
from runnerkit.files.drained import PATH, UNTOLD
from runnerkit.fleet.changes.drain import DrainState, Terms, _wait
from runnerkit.fleet.run import Outcome
from runnerkit.plan import Script
from runnerkit.report.drain import drained as drained_page
from runnerkit.templates import render
from tests.unit.build import MANAGER, blank, container, converged, want

START = "2026-11-26T10:00:00.5Z"
JOB = Job("12", "g/p", "2026-11-26T10:00:00Z")
DRAINED = {"Running": False, "StartedAt": START}
DRAINING = {"Running": True, "StartedAt": START}


def host(
    state: dict[str, Any], policy: str = "no", mark: object = None, work: tuple[Job, ...] = ()
) -> Facts:
    """A host whose manager is so."""
    have = converged(work=work, jobs=len(work), now=1795687290)
    now = container(State=state, HostConfig={"RestartPolicy": {"Name": policy}})
    files = dict(have.files)
    if mark is not None:
        text = mark if isinstance(mark, str) else json.dumps(mark)
        files[PATH] = File(text.encode(), 0o600, 500)
    return replace(have, containers={"gitlab-runner": now}, files=files)


def mark(process: str = START) -> dict[str, str]:
    return {"by": "ann@desk", "since": "2026-11-26T10:01:00Z", "process": process}


def titles(action: converge.Step, have: Facts) -> list[str]:
    return [change.title for change in action.changes(want(), have)]


@pytest.mark.parametrize(
    ("have", "is_left"),
    [
        (host(DRAINING, "always"), True),
        (host(DRAINING, "always", mark("")), True),  # cut off after the mark
        (host(DRAINING, "no", mark("")), True),  # … after the policy
        (host(DRAINING, "no", mark()), False),
        (host({"Running": True, "StartedAt": "later"}, "no", mark()), True),  # started by hand
        (host(DRAINED, "no", mark()), False),
        (host(DRAINED, "always", mark()), True),
        (host(DRAINED, "no"), True),
    ],
)
def test_a_drain_goes_on_from_where_a_cut_off_one_was(have: Facts, is_left: bool) -> None:
    assert bool(titles(Drain("me@here"), have)) is is_left


def test_a_mark_keeps_who_was_first() -> None:
    (script,) = Drain("me@here").changes(want(), host(DRAINING, "always", mark("")))
    assert isinstance(script, Script)
    assert "'\"ann@desk\"'" in script.text
    assert "since='\"2026-11-26T10:01:00Z\"'" in script.text
    (script,) = Drain("a\"$(id)'b").changes(want(), host(DRAINING, "always"))
    assert isinstance(script, Script)
    assert "$(id)\n" not in script.text


@pytest.mark.parametrize(
    ("have", "is_left"),
    [
        (host(DRAINED, "no", mark()), True),
        (host(DRAINING, "no", mark()), True),
        (host(DRAINING, "always", mark()), True),  # cut off before the mark went
        (host(DRAINED, "always"), True),
        (host(DRAINING, "always"), False),
    ],
)
def test_a_host_is_resumed_from_where_a_cut_off_run_was(have: Facts, is_left: bool) -> None:
    assert bool(titles(Undrain(), have)) is is_left


def test_a_mark_goes_where_the_container_has_gone() -> None:
    have = replace(host(DRAINED, "no", mark()), containers={})
    (script,) = Undrain().changes(want(), have)
    assert isinstance(script, Script)
    assert "docker" not in script.text


@pytest.mark.parametrize("action", [Drain("me@here"), Undrain(), EndJobs()])
@pytest.mark.parametrize(
    ("have", "what"),
    [
        (blank(), "there is no Docker Engine"),
        (blank(podman=True), "is Podman's"),
        (blank(dockerd=True), "does not run"),
        (converged(containers={}), "no container gitlab-runner"),
    ],
)
def test_a_host_without_a_manager_is_left_alone(
    action: converge.Step, have: Facts, what: str
) -> None:
    with pytest.raises(KitError, match=what):
        titles(action, have)


def test_jobs_are_ended_as_long_as_the_manager_runs() -> None:
    assert titles(EndJobs(), host(DRAINED, "no", mark())) == []
    (title,) = titles(EndJobs(), host(DRAINING, "no", mark(), (JOB,)))
    assert title == "end gitlab-runner and 1 job: g/p#12 for 90 s"


@pytest.mark.parametrize("state", [DRAINED, DRAINING])
@pytest.mark.parametrize("words", [mark(), "{", "[1]", '{"by": {}}', '{"by": "\\u001b[2J"}'])
def test_no_run_starts_or_replaces_a_manager_that_is_drained(state: Any, words: Any) -> None:
    have = host(state, "no", words)
    assert converge.plan(want(), have) == []
    other = replace(have, images={MANAGER: {"Id": "sha256:newer"}, **have.images})
    assert not [one.title for one in converge.plan(want(), other) if "container" in one.title]
    assert converge.plan(want(), replace(have, containers={})) == []
    found = [*managers.findings(want(), have), *manager_container.findings(want(), have)]
    assert [(one.code, one.level) for one in found] == [("manager-drained", "note")]
    assert "ann@desk" in found[0].what or UNTOLD in found[0].what or "\x1b" not in found[0].what


def test_a_manager_that_somebody_started_in_spite_of_the_mark_is_noted() -> None:
    have = host({"Running": True, "StartedAt": "later"}, "no", mark())
    assert [one.code for one in managers.findings(want(), have)] == ["manager-drained-runs"]


def test_how_a_drain_stands() -> None:
    url = "https://gitlab.example.com/g/p/-/jobs/12"
    line = json.dumps(["2026-11-26T10:00:00Z", "12", url])
    assert drain.watched(f"now: 7\nrunning: true\n{line}\n") == Watched(True, (JOB,), 7)
    assert drain.watched("now: 7\nrunning: unknown\n").running is None
    assert drain.watched("now: 7\nrunning: true\nexited: 1\n").exited == 0, "of the time before"
    assert drain.watched("now: 7\nrunning: false\nexited: 137\n").exited == 137
    assert drain.watched("now: 7\nresumed: yes\nrunning: true\n").resumed


def test_a_job_that_ends_while_it_is_asked_after_is_none() -> None:
    """Docker has an empty line in its place, of `inspect --format`."""
    line = json.dumps([START, "12", "https://gitlab.example.com/group/project/-/jobs/12"])
    now = drain.watched(f"now: 7\nrunning: false\nexited: 0\n\n{line}\n\n")
    assert (now.running, len(now.work)) == (False, 1)
    assert job_containers(f"\n{line}\n\n") == [json.loads(line)]
    assert belongings.parse('\n{"whole":true}\n').whole
    many = tuple(replace(JOB, id=str(number)) for number in range(9))
    text = drain.named(many, 1795687200 + 7200)
    assert text.startswith("9 jobs: g/p#0 for 2 h, ")
    assert text.endswith(", …")


class Crashing:
    """A host whose Docker ends while a job runs, and takes the manager with it when it is back."""

    def __init__(self) -> None:
        self.told: list[str] = []
        job = json.dumps(["2026-11-26T10:00:00Z", "12", "https://gitlab.example.com/g/p/-/jobs/12"])
        self.answers = [
            f"now: 7\nrunning: true\nexited: 0\n{job}\n",
            "now: 9\nrunning: unknown\nexited: 0\n",
            "now: 70\nrunning: false\nexited: 137\n",
        ]

    def look(self, _: str) -> str:
        return self.answers.pop(0)

    def tell(self, event: Any) -> None:
        self.told.append(event.text)


def test_jobs_that_were_lost_with_the_manager_are_known() -> None:
    crashing = Crashing()
    left = _wait(crashing, want(), None)  # type: ignore[arg-type]
    assert (left.running, left.work, left.exited) == (False, (JOB,), 137)
    assert crashing.told[1] == "waiting for Docker, which does not answer"
    state = DrainState(False, (), left.work, None, left.now, exited=left.exited)
    page = drained_page([Outcome("ci1", state)], Terms())
    assert "lost, as the manager was killed (exit code 137)" in str(page.messages)


@pytest.mark.parametrize(
    ("says", "running"),
    [
        ("echo true 0", True),
        ("echo false 137", False),
        ("echo 'Error: No such object: gitlab-runner' >&2; exit 1", False),
        ("echo 'error during connect: EOF' >&2; exit 1", None),
        ("echo 'fork: Cannot allocate memory' >&2; exit 2", None),
    ],
)
def test_only_docker_s_own_word_says_that_a_manager_has_ended(
    says: str, running: bool | None, tmp_path: Path
) -> None:
    docker = f"case $1 in inspect) {says} ;; esac"
    assert drain.watched(shell(tmp_path, drain.watch(want(), 1), docker).stdout).running is running
    if not running:
        ran = shell(tmp_path, drain_of(want()), docker)
        assert (ran.returncode == 0) is (running is False), "no manager goes that may have jobs"
        assert ("does not tell" in ran.stderr) is (running is None)


def shell(folder: Path, script: str, docker: str) -> subprocess.CompletedProcess[str]:
    """Run a script where Docker is this, and nothing sleeps."""
    for name, text in {"docker": docker, "sleep": "", "systemctl": "", "service": ""}.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    env = {"PATH": f"{folder}:{os.environ['PATH']}", "FOLDER": str(folder)}
    return subprocess.run(
        ["sh", "-c", script], env=env, text=True, capture_output=True, check=False
    )


def test_a_docker_that_has_a_bad_moment_is_not_taken_for_one_without_jobs(tmp_path: Path) -> None:
    text = render("await-jobs.sh.j2", tokens=["short"], timeout=9)
    moment = '[ -e "$FOLDER/asked" ] || { : >"$FOLDER/asked"; exit 1; }'
    ran = shell(tmp_path, text, moment)
    assert ran.returncode == 0
    assert ran.stdout.startswith("waiting for the jobs to end: ")


@pytest.mark.parametrize("answer", ["exit 1", "echo theirs"])
def test_docker_is_not_restarted_where_somebody_s_containers_may_run(
    answer: str, tmp_path: Path
) -> None:
    ran = shell(tmp_path, render("restart-idle-docker.sh.j2"), f"echo $1 >>$FOLDER/asked; {answer}")
    assert "until its next start" in ran.stdout
    assert (tmp_path / "asked").read_text() == "ps\n"


@pytest.mark.parametrize("name", ["drain", "restart-docker", "complete-packages", "again"])
def test_no_script_starts_a_drained_manager(name: str) -> None:
    from runnerkit.place import TEMPLATES

    for line in (TEMPLATES / f"{name}.sh.j2").read_text().splitlines():
        if "--restart=always" in line and "for" not in line:
            text = (TEMPLATES / f"{name}.sh.j2").read_text()
            assert "-e {{ DRAINED }}" in text[: text.index(line) + len(line)]


def test_the_age_of_a_job_that_is_waited_for_is_told_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = 1795687200  # when the job began
    looks = iter([*(Watched(True, (JOB,), at + age) for age in (19, 21, 23, 29)), Watched(False)])
    events: list[Any] = []

    class Waited:
        tell = staticmethod(events.append)

        def look(self, script: str) -> None: ...

    monkeypatch.setattr(drain, "watched", lambda _: next(looks))
    _wait(Waited(), want(), None)  # type: ignore[arg-type]
    assert [one.text for one in events] == [
        "waiting for 1 job: g/p#12 for 19 s",
        "waiting for 1 job: g/p#12 for 29 s",
    ]
