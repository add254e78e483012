"""The stand-in runner's job log on its way: ranges, checksums, and the server's orders."""

import email.message
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest
from sandbox.runner.build_log import BuildLog, Stream
from sandbox.runner.errors import supported
from sandbox.runner.http_client import NO_ANSWER, Answer
from sandbox.runner.job_api import Reply, read_patch, read_update
from sandbox.runner.trace import Trace
from sandbox.runner.trace_buffer import TraceBuffer


def answer(status: int, **headers: str) -> Answer:
    message = email.message.Message()
    for key, value in headers.items():
        message[key.replace("_", "-")] = value
    return Answer(status, "", message)


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        (answer(202), Reply("ok", 15)),
        (answer(416, Range="0-4"), Reply("mismatch", 4)),
        (answer(416), Reply("mismatch", 0)),
        (answer(403), Reply("abort", 10)),
        (answer(404), Reply("missing", 10)),
        (answer(500), Reply("failed", 10)),
        (answer(NO_ANSWER), Reply("failed", 10)),
        (answer(202, Job_Status="canceled"), Reply("abort", 10)),
        (answer(202, Job_Status="failed"), Reply("abort", 10)),
        (answer(202, Job_Status="canceling"), Reply("ok", 15, canceling=True)),
        (answer(202, X_GitLab_Trace_Update_Interval="60"), Reply("ok", 15, interval=60)),
        (answer(202, X_GitLab_Trace_Update_Interval="9999"), Reply("ok", 15, interval=900)),
    ],
)
def test_a_patch_of_five_bytes_from_ten(said: Answer, reply: Reply) -> None:
    assert read_patch(said, 10, 5) == reply


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (200, "ok"),
        (202, "accepted"),
        (412, "mismatch"),
        (403, "abort"),
        (404, "abort"),
        (500, "failed"),
    ],
)
def test_an_update(status: int, state: str) -> None:
    assert read_update(answer(status)).state == state


class FakeApi:
    """Answers from two scripts; keeps what arrived."""

    def __init__(self, patches: list[Reply], updates: list[Reply]) -> None:
        self.patches, self.updates = patches, updates
        self.received = bytearray()
        self.said: list[tuple[str, dict[str, Any]]] = []

    def patch(self, content: bytes, start: int) -> Reply:
        if self.patches:
            return self.patches.pop(0)
        self.received[start:] = content
        return Reply("ok", start + len(content))

    def update(self, state: str, output: dict[str, Any], **more: Any) -> Reply:
        self.said.append((state, more))
        return self.updates.pop(0) if self.updates else Reply("ok")


def trace(api: FakeApi, text: bytes = b"0123456789") -> Trace:
    buffer = TraceBuffer()
    buffer.write(text)
    return Trace(api, buffer, calls.cancel, calls.abort, pause=lambda _: None)  # type: ignore[arg-type]


class Calls:
    def __init__(self) -> None:
        self.made: list[str] = []

    def cancel(self) -> None:
        self.made.append("cancel")

    def abort(self) -> None:
        self.made.append("abort")


calls = Calls()


@pytest.fixture(autouse=True)
def _forget() -> None:
    calls.made.clear()


def test_the_whole_log_and_the_verdict_arrive() -> None:
    api = FakeApi([], [])
    assert trace(api).finish("failed", "script_failure", 7)
    assert api.received == b"0123456789"
    assert api.said == [("failed", {"failure_reason": "script_failure", "exit_code": 7})]


def test_after_a_mismatch_it_goes_on_from_where_the_server_is() -> None:
    api = FakeApi([Reply("mismatch", 4)], [])
    api.received = bytearray(b"0123")
    assert trace(api).finish("success")
    assert api.received == b"0123456789"


def test_after_a_bad_checksum_all_is_sent_again() -> None:
    api = FakeApi([], [Reply("mismatch")])
    assert trace(api).finish("success")
    assert api.received == b"0123456789"
    assert len(api.said) == 2


def test_a_verdict_that_is_accepted_only_is_asked_about_again() -> None:
    api = FakeApi([], [Reply("accepted"), Reply("accepted")])
    assert trace(api).finish("success")
    assert len(api.said) == 3


def test_a_verdict_is_tried_ten_times() -> None:
    api = FakeApi([], [Reply("failed")] * 20)
    assert not trace(api).finish("success")
    assert len(api.said) == 10


def test_a_job_that_the_server_ended_is_aborted() -> None:
    assert not trace(FakeApi([Reply("abort")], [])).send()
    assert calls.made == ["abort"]


def test_a_job_that_is_canceling_is_cancelled_and_goes_on() -> None:
    assert trace(FakeApi([Reply("ok", 10, canceling=True)], [])).send()
    assert calls.made == ["cancel"]


def test_the_checksum_is_of_the_whole_log() -> None:
    buffer = TraceBuffer()
    buffer.write(b"ab")
    buffer.write(b"c")
    assert buffer.output() == {"checksum": f"crc32:{zlib.crc32(b'abc'):08x}", "bytesize": 3}


def test_a_log_past_its_limit_ends_with_a_notice() -> None:
    buffer = TraceBuffer(limit=4)
    buffer.write("aé".encode())
    buffer.write("éé".encode())
    buffer.write(b"more")
    text = buffer.read(0, 1000)
    assert text.startswith(b"a\xc3\xa9\n")
    assert b"Job's log exceeded limit of 4 bytes." in text
    assert b"more" not in text.partition(b"bytes.")[2].replace(b"but no more output", b"")


def stream(written: list[bytes], timestamps: bool, *secrets: bytes) -> Stream:
    moment = datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)
    return Stream(written.append, "01O", timestamps, secrets, now=lambda: moment)


def test_every_line_carries_its_time_and_stream() -> None:
    written: list[bytes] = []
    out = stream(written, True)
    out.write(b"one\ntw")
    out.write(b"o\n")
    stamp = b"2026-01-02T03:04:05.123456Z 01O "
    assert written == [stamp + b"one\n", stamp + b"two\n"]


def test_a_long_line_is_continued_with_a_plus() -> None:
    written: list[bytes] = []
    out = stream(written, True)
    out.write(b"x" * 9000)
    out.write(b"y\n")
    stamp = b"2026-01-02T03:04:05.123456Z 01O"
    assert written[0].startswith(stamp + b" x")
    assert written[1] == stamp + b"+y\n"


def test_secrets_do_not_reach_the_log() -> None:
    written: list[bytes] = []
    out = stream(written, False, b"s3cret")
    out.write(b"a s3c")
    out.write(b"ret and glpat-abcdefghijklmnop\n")
    assert written == [b"a [MASKED] and glpat-[MASKED]\n"]


def test_sections_frame_what_is_logged_in_them() -> None:
    written: list[bytes] = []
    build_log = BuildLog(written.append, timestamps=False)
    with build_log.section("step_script", "Title"):
        build_log.line("inside")
    build_log.info("after")
    text = b"".join(written)
    assert text.index(b"section_start:") < text.index(b"Title") < text.index(b"inside")
    assert text.index(b"inside") < text.index(b"section_end:") < text.index(b"after")


@pytest.mark.parametrize(
    ("reason", "listed", "sent"),
    [
        ("script_failure", [], "script_failure"),
        ("job_canceled", [], "unknown_failure"),
        ("job_canceled", ["job_canceled"], "job_canceled"),
        ("image_pull_failure", [], "runner_system_failure"),
        ("runner_configuration_error", [], "script_failure"),
    ],
)
def test_reasons_that_the_server_does_not_know_are_mapped(
    reason: str, listed: list[str], sent: str
) -> None:
    assert supported(reason, listed) == sent
