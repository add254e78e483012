"""What doctor says of a host: a mark a check, what is wrong with its fix, and what it could not tell."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from runnerkit.errors import KitError
from runnerkit.facts import Facts, File
from runnerkit.facts.probe import Probe, Reply, Served
from runnerkit.fleet.health.doctor import Diagnosis, diagnosed
from runnerkit.fleet.health.groups import ROWS
from runnerkit.fleet.health.rehearsal import Subject
from runnerkit.fleet.run import Outcome
from runnerkit.report import doctor as report
from tests.unit.build import CONFIG, GOOD, MANAGER, TOKEN, URL, container, converged, want

SYSTEM_ID = "/srv/gitlab-runner/config/.runner_system_id"


def healthy(config: str = GOOD, **changes: object) -> Facts:
    """A converged host, whose manager has run."""
    facts = converged(config)
    files = {**facts.files, SYSTEM_ID: File(b"s_0123456789ab", 0o600, 500)}
    reply = Reply(URL, status=401, kind="application/json", skew=1)
    served = Served("docker.io", MANAGER, "", Reply("docker.io", status=206))
    probe = Probe(gitlab=reply, served=(served,))
    return replace(facts, **{"files": files, "probe": probe, **changes})  # type: ignore[arg-type]


def diagnosis(have: Facts, fault: str = "", **settings: Any) -> Diagnosis:
    failure = KitError(fault, "see GitLab") if fault else None
    after = [row for row in ROWS if row.when != "before" and not isinstance(row.check, Subject)]
    return diagnosed(want(**settings), have, failure, after)


def codes(found: Diagnosis) -> list[str]:
    return [one.code for one in found.findings]


def test_a_healthy_host_has_no_finding() -> None:
    found = diagnosis(healthy())
    assert codes(found) == []
    assert [one.title for one in found.verdicts if not one.known] == []
    page = report.diagnosed([Outcome("ci1", found)])
    assert page.code == 0
    assert page.lines[-1].startswith("1 host: ")
    assert page.lines[-1].endswith(" checks well, 0 errors, 0 notes, 0 not known")


SICK: dict[str, tuple[Callable[[], Diagnosis], str]] = {
    "a full disk": (lambda: diagnosis(healthy(free_kb=1000)), "disk-full"),
    "a stopped manager": (
        lambda: diagnosis(healthy(containers={"gitlab-runner": container(State={"Running": False})})),
        "manager-stopped",
    ),
    "others read config.toml": (
        lambda: diagnosis(
            healthy(files={**healthy().files, CONFIG: File(GOOD.encode(), 0o644, 5)})
        ),
        "config-open",
    ),
    "config.toml is none": (lambda: diagnosis(healthy("x = [")), "config-broken"),
    "GitLab fails": (lambda: diagnosis(healthy(), fault="500"), "gitlab-api"),
}  # fmt: skip


@pytest.mark.parametrize("case", SICK)
def test_what_is_wrong_is_one_finding(case: str) -> None:
    look, code = SICK[case]
    found = look()
    assert codes(found) == [code]
    page = report.diagnosed([Outcome("ci1", found)])
    assert page.code == 1
    (line,) = [line for line in page.lines if f"[{code}]" in line]
    assert line.startswith("        fix: ")
    assert TOKEN not in "\n".join(page.lines)


def test_what_follows_is_not_known_and_is_not_well() -> None:
    found = diagnosis(healthy("x = ["))
    marks = {one.title: one.known for one in found.verdicts}
    assert marks["tokens do not end soon"] is False
    page = report.diagnosed([Outcome("ci1", found)])
    assert "    · tokens do not end soon: not known" in page.lines
    assert "    √ disk and inodes" in page.lines


def test_a_host_not_reached_is_an_error_beside_the_others() -> None:
    outcomes = [
        Outcome("ci1", diagnosis(healthy())),
        Outcome[Diagnosis]("ci2", error="no answer", fix="look"),
    ]
    page = report.diagnosed(outcomes)
    assert page.code == 1
    assert page.lines[-4:-1] == ["ci2", "  × no answer", "      fix: look"]
    assert "2 hosts: " in page.lines[-1]
    assert ", 1 error, " in page.lines[-1]


def test_a_program_that_had_no_time_to_ask_gitlab_has_no_answer() -> None:
    found = diagnosis(healthy(verify="Verifying runner...\nexit 124"))
    assert codes(found) == []
    assert [one.title for one in found.verdicts if not one.known] == ["GitLab accepts the runners"]
