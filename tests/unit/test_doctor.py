"""What doctor says of a host: a mark a check, what is wrong with its fix, and what it could not tell."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from runnerkit.errors import KitError
from runnerkit.facts import Facts, File
from runnerkit.fleet.doctor import Diagnosis, diagnosed
from runnerkit.fleet.groups import ROWS
from runnerkit.fleet.run import Outcome
from runnerkit.report import doctor as report
from tests.unit.build import CONFIG, GOOD, TOKEN, container, converged, want

SYSTEM_ID = "/srv/gitlab-runner/config/.runner_system_id"


class Answering:
    """A host whose GitLab answers, or says that."""

    def __init__(self, fault: str = "") -> None:
        self.fault = fault

    def server(self, _: object, have: Facts) -> Facts:
        if self.fault:
            raise KitError(self.fault, "see GitLab")
        return have


def healthy(config: str = GOOD, **changes: object) -> Facts:
    """A converged host, whose manager has run."""
    facts = converged(config)
    files = {**facts.files, SYSTEM_ID: File(b"s_0123456789ab", 0o600, 500)}
    return replace(facts, **{"files": files, **changes})  # type: ignore[arg-type]


def diagnosis(have: Facts, fault: str = "") -> Diagnosis:
    return diagnosed(Answering(fault), want(), have, [row for row in ROWS if row.when != "before"])  # type: ignore[arg-type]


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
    "GitLab fails": (lambda: diagnosis(healthy(), fault="500"), "unknown"),
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
