"""Why a job image does not build, in the first line; and what to correct, where there is something."""

import base64

import pytest

from runnerkit.engine import build_failure
from runnerkit.engine.build import _Log
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


def _field(number: int, body: bytes | int) -> bytes:
    if isinstance(body, int):
        return bytes([number << 3, body])
    return bytes([number << 3 | 2, len(body)]) + body  # none here is longer than 127 bytes


def _trace(*statuses: bytes) -> dict[str, str]:
    """An event of the Engine: moby/buildkit, api/services/control/control.proto, StatusResponse."""
    return {"id": "moby.buildkit.trace", "aux": base64.b64encode(b"".join(statuses)).decode()}


def _output(text: str | bytes, stream: int, vertex: bytes = b"v") -> bytes:
    body = text.encode() if isinstance(text, str) else text
    return _field(3, _field(1, vertex) + _field(3, stream) + _field(4, body))


def _failed(vertex: bytes = b"v") -> bytes:
    return _field(1, _field(1, vertex) + _field(3, b"RUN x") + _field(5, b"") + _field(7, b"code"))


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        (
            [("Reading\nE", 2), (":", 2), (" Unable to locate", 2), (" package gitt", 2)],
            ["Reading", "E: Unable to locate package gitt"],
        ),
        (  # apt's stdout does not end its line before stderr says why
            [("Building tree...", 1), ("E: Unable", 2), (" to\n", 2), (" Done\n", 1)],
            ["E: Unable to", "Building tree... Done"],
        ),
        ([("half err", 2), ("half out", 1)], ["half err", "half out"]),
        ([("one\ntwo", 1), ("reason\n", 2)], ["one", "reason", "two"]),
        ([("na\u00efve".encode()[:3], 1), ("na\u00efve".encode()[3:], 1)], ["na\u00efve"]),
    ],
)
def test_each_stream_of_a_step_has_lines_of_its_own(
    pieces: list[tuple[str | bytes, int]], lines: list[str]
) -> None:
    log = _Log(lambda _: None)
    for text, stream in pieces:
        log.event(_trace(_output(text, stream)))
    log.event(_trace(_output("of another step", 2, b"w")))
    log.event(_trace(_failed()))
    assert log.lines == lines


def test_what_to_correct_is_what_somebody_wrote() -> None:
    fix = build_failure.of(JobImage("web", "", "dockerfiles/web"), "RUN x", ["y"], "code").fix
    assert "correct the Dockerfile" in fix
    full = build_failure.of(JobImage("web", ""), "RUN x", ["No space left on device"], "")
    assert "image.prune" in full.fix
