"""Why a job image does not build, in the first line; and what to correct, where there is something."""

import pytest

from runnerkit.engine import build_failure
from runnerkit.engine.build import _Log
from runnerkit.engine.buildkit import Status
from runnerkit.images.definition import JobImage

SCRIPT = "RUN set -eu;     set --         'gitt'     ;     if command -v apt-get >/dev/null; then"
LONG = f"[2/2] {SCRIPT} {'x ' * 300}"
KIT = f'process "/bin/sh -c {SCRIPT} {"x " * 300}" did not complete successfully: exit code: 100'
CLASSIC = f"The command '/bin/sh -c {SCRIPT}' returned a non-zero code: 1"


@pytest.mark.parametrize(
    ("step", "lines", "error", "reason"),
    [
        (
            LONG,
            ["Reading package lists...", "E: Unable to locate package gitt", "more"],
            KIT,
            "E: Unable to locate package gitt (exit 100 of [2/2] RUN set -eu;",
        ),
        (
            LONG,
            ["Building dependency tree...E: Unable to locate package gitt", "Reading state..."],
            KIT,
            "E: Unable to locate package gitt (exit 100 of [2/2] RUN set -eu;",
        ),
        (
            f"Step 3/3 : {SCRIPT}",
            ["fetch x", "ERROR: unable to select packages:", "  gitt (no such package):"],
            CLASSIC,
            "ERROR: unable to select packages: (exit 1 of Step 3/3 : RUN",
        ),
        ("RUN make", ["one", "two"], "… exit code: 2", "two (exit 2 of RUN make)"),
        (
            "before the first step",
            [],
            "dockerfile parse error on line 1",
            "before the first step: ",
        ),
    ],
)
def test_the_reason_leads_and_no_script_stands_in_its_way(
    step: str, lines: list[str], error: str, reason: str
) -> None:
    failure = build_failure.of(JobImage("web", "", ""), step, lines, error)
    first = failure.what.splitlines()[0]
    assert first.startswith(f"web does not build: {reason}")
    assert len(first) < 200
    assert "x x x x x" not in failure.what
    assert all(line in failure.what for line in lines)
    assert "images.web.packages" in failure.fix


def test_a_line_that_comes_in_pieces_is_one_line() -> None:
    log = _Log(lambda _: None)
    for text in ("Reading\nE", ":", " Unable to locate", " package gitt"):
        log._buildkit(Status("v", text=text))
    log._buildkit(Status("v", name="RUN x", error="failed"))
    assert log.lines == ["Reading", "E: Unable to locate package gitt"]


def test_what_to_correct_is_what_somebody_wrote() -> None:
    fix = build_failure.of(JobImage("web", "", "dockerfiles/web"), "RUN x", ["y"], "code").fix
    assert "correct the Dockerfile" in fix
    full = build_failure.of(JobImage("web", ""), "RUN x", ["No space left on device"], "")
    assert "image.prune" in full.fix
