"""The stand-in runner's job log on its way: ranges, checksums, and the server's last word."""

import zlib
from email.message import Message

import pytest

from sandbox.runner.job.build_log import BuildLog
from sandbox.runner.job.failure import JobError, supported
from sandbox.runner.job.stopping import Stopping, duration
from sandbox.runner.server.http_client import Answer
from sandbox.runner.server.trace import Trace

TEXT = b"0123456789"


def answer(status: int, **headers: str) -> Answer:
    message = Message()
    for key, value in headers.items():
        message[key.replace("_", "-")] = value
    return Answer(status, "", message)


class FakeApi:
    """Answers from two scripts, then as a server that is content; keeps what arrived."""

    def __init__(self, patches: list[Answer], updates: list[Answer], arrived: bytes = b"") -> None:
        self.patches, self.updates = patches, updates
        self.received = bytearray(arrived)
        self.verdicts: list[tuple[str, dict[str, object]]] = []
        self.aborted = False

    def patch(self, content: bytes, start: int) -> Answer:
        if self.patches:
            return self.patches.pop(0)
        self.received[start:] = content
        return answer(202)

    def update(self, state: str, output: dict[str, object], **more: object) -> Answer:
        self.verdicts.append((state, {**output, **more}))
        return self.updates.pop(0) if self.updates else answer(200)

    def abort(self) -> None:
        self.aborted = True


def trace(api: FakeApi, text: bytes = TEXT) -> Trace:
    new = Trace(api, api.abort, pause=lambda _: None)  # type: ignore[arg-type]
    new.write(text)
    return new


def test_the_whole_log_its_sum_and_the_verdict_arrive() -> None:
    api = FakeApi([], [])
    assert trace(api).finish("failed", "script_failure", 7)
    assert api.received == TEXT
    output = {"checksum": f"crc32:{zlib.crc32(TEXT):08x}", "bytesize": len(TEXT)}
    more = {"failure_reason": "script_failure", "exit_code": 7}
    assert api.verdicts == [("failed", {**output, **more})]


def test_after_a_mismatch_it_goes_on_from_where_the_server_is() -> None:
    api = FakeApi([answer(416, Range="0-4")], [], arrived=TEXT[:4])
    assert trace(api).finish("success")
    assert api.received == TEXT


def test_after_a_bad_checksum_all_is_sent_again() -> None:
    api = FakeApi([], [answer(412)])
    assert trace(api).finish("success")
    assert api.received == TEXT
    assert len(api.verdicts) == 2


def test_a_verdict_that_is_accepted_only_is_asked_about_again() -> None:
    api = FakeApi([], [answer(202), answer(202)])
    assert trace(api).finish("success")
    assert len(api.verdicts) == 3


def test_a_verdict_is_tried_ten_times() -> None:
    api = FakeApi([], [answer(500)] * 20)
    assert not trace(api).finish("success")
    assert len(api.verdicts) == 10


@pytest.mark.parametrize("end", [answer(403), answer(202, Job_Status="canceled")])
def test_a_job_that_the_server_ended_is_aborted(end: Answer) -> None:
    api = FakeApi([end], [])
    assert not trace(api).send()
    assert api.aborted


def test_secrets_do_not_reach_the_log() -> None:
    written: list[bytes] = []
    log = BuildLog(written.append, ["s3cret"])
    log.output(b"a s3c")
    log.output(b"ret and glpat-abcdefghijklmnop\n")
    assert written == [b"a [MASKED] and glpat-[MASKED]\n"]


def test_sections_frame_what_is_logged_in_them() -> None:
    written: list[bytes] = []
    log = BuildLog(written.append)
    with log.section("step_script", "Title"):
        log.output(b"inside, without an end")
    log.info("after")
    text = b"".join(written)
    assert text.index(b"section_start:") < text.index(b"Title") < text.index(b"inside")
    assert text.index(b"an end\n") < text.index(b"section_end:") < text.index(b"after")


@pytest.mark.parametrize(
    ("reason", "listed", "sent"),
    [
        ("script_failure", [], "script_failure"),
        ("image_pull_failure", ["image_pull_failure"], "image_pull_failure"),
        ("image_pull_failure", [], "runner_system_failure"),
        ("runner_configuration_error", [], "script_failure"),
    ],
)
def test_reasons_that_the_server_does_not_know_are_mapped(
    reason: str, listed: list[str], sent: str
) -> None:
    assert supported(reason, listed) == sent


def test_a_stop_ends_what_runs_and_whatever_comes_after() -> None:
    stopping, ended = Stopping(60), list[str]()
    with pytest.raises(JobError, match="terminated"), stopping.ending(lambda: ended.append("now")):
        stopping.stop(JobError("aborted: terminated"))
    with pytest.raises(JobError, match="terminated"), stopping.ending(lambda: None):
        raise AssertionError("it must not begin")
    assert ended == ["now"]


def test_a_job_past_its_time_is_stopped() -> None:
    stopping = Stopping(0.01)
    with stopping.clock(), pytest.raises(JobError) as late:
        stopping.wait(10)
    assert late.value.reason == "job_execution_timeout"
    assert str(late.value) == "execution took longer than 0s seconds"


def test_durations_are_written_as_go_writes_them() -> None:
    assert [duration(s) for s in (3, 60, 3661)] == ["3s", "1m0s", "1h1m1s"]
