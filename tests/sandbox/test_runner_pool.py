"""When the stand-in runner polls: slots, health, and the words between it and the server."""

import socket
import struct
import time
from pathlib import Path

import pytest
from sandbox.runner.api import Api
from sandbox.runner.health import Health, seconds
from sandbox.runner.slots import Slots
from sandbox.runner.stopping import Stopping, duration

from sandbox.runner import engine, systemid
from tests.sandbox.runner_stub import stub

RUNNER = {"url": "http://x/", "token": "glrt-abcdefghijk"}


def test_three_refusals_and_a_runner_is_left_alone_for_an_hour() -> None:
    now = [0.0]
    health = Health(now=lambda: now[0])
    for _ in range(2):
        health.mark(RUNNER, healthy=False)
    assert health.may_poll(RUNNER)
    health.mark(RUNNER, healthy=False)
    assert not health.may_poll(RUNNER)
    now[0] = 3601.0
    assert health.may_poll(RUNNER)


def test_one_good_answer_forgives() -> None:
    health = Health()
    for healthy in (False, False, True, False, False):
        health.mark(RUNNER, healthy)
    assert health.may_poll(RUNNER)


def test_concurrent_bounds_all_runners_together() -> None:
    slots = Slots()
    other = {"token": "glrt-other0000000"}
    assert slots.take(RUNNER, 2)
    assert slots.take(other, 2)
    slots.asked(RUNNER)
    assert not slots.take(RUNNER, 2)
    slots.give_back(other)
    assert slots.take(RUNNER, 2)


def test_limit_bounds_one_runner_and_requests_go_one_at_a_time() -> None:
    slots = Slots()
    runner = {**RUNNER, "limit": 1}
    assert slots.take(runner, 9)
    slots.asked(runner)
    assert not slots.take(runner, 9)
    slots.give_back(runner)
    assert slots.take(RUNNER, 9)
    assert not slots.take(RUNNER, 9)


def test_a_job_gets_the_lowest_free_numbers() -> None:
    slots = Slots()
    first = slots.number(RUNNER, 1)
    assert (first, slots.number(RUNNER, 1), slots.number(RUNNER, 2)) == ((0, 0), (1, 1), (2, 0))
    slots.free(RUNNER, 1, first)
    assert slots.number(RUNNER, 1) == (0, 0)


def test_the_queue_value_is_echoed(tmp_path: Path) -> None:
    with stub(request=(204, None)) as server:
        api = Api({**RUNNER, "url": server.url}, tmp_path / "config.toml")
        assert api.request_job("r_000000000000") == (None, True)
        api.request_job("r_000000000000")
    assert "last_update" not in server.requests[0][1]
    assert server.requests[1][1]["last_update"] == "seen"


@pytest.mark.parametrize(
    ("status", "healthy"), [(204, True), (403, False), (409, True), (422, True)]
)
def test_only_a_refusal_is_unhealthy(tmp_path: Path, status: int, healthy: bool) -> None:
    with stub(request=(status, None)) as server:
        api = Api({**RUNNER, "url": server.url}, tmp_path / "config.toml")
        assert api.request_job("r_000000000000") == (None, healthy)


def test_a_request_that_was_stopped_is_not_sent(tmp_path: Path) -> None:
    with stub(request=(204, None)) as server:
        api = Api({**RUNNER, "url": server.url}, tmp_path / "config.toml")
        api.client.stop()
        assert api.request_job("r_000000000000") == (None, True)
    assert server.requests == []


def test_cancelling_lets_after_script_run_and_aborting_does_not() -> None:
    stopping = Stopping(60)
    assert stopping.error() is None
    stopping.cancel()
    assert str(stopping.error()) == "canceled"
    assert stopping.error(after_script=True) is None
    stopping.abort("terminated")
    assert str(stopping.error(after_script=True)) == "aborted: terminated"
    assert stopping.fatal()


def test_a_job_past_its_time_says_so() -> None:
    stopping = Stopping(3600)
    stopping.deadline = time.monotonic() - 1
    error = stopping.error()
    assert error is not None
    assert error.reason == "job_execution_timeout"
    assert str(error) == "execution took longer than 1h0m0s seconds"


def test_durations_are_written_as_go_writes_them() -> None:
    assert [duration(s) for s in (3, 60, 3661)] == ["3s", "1m0s", "1h1m1s"]
    assert seconds("1h30m") == 5400.0


def test_the_output_of_a_container_is_taken_apart_at_any_seam() -> None:
    ours, theirs = socket.socketpair()
    frames = struct.pack(">BxxxL", 1, 3) + b"out" + struct.pack(">BxxxL", 2, 3) + b"err"
    with ours, theirs:
        for byte in frames:
            theirs.send(bytes([byte]))
        theirs.shutdown(socket.SHUT_WR)
        found: list[tuple[int, bytes]] = []
        assert engine.follow(ours, lambda *frame: found.append(frame), lambda: False)
    assert found == [(1, b"out"), (2, b"err")]


def test_the_output_is_left_when_the_job_is_stopped() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert not engine.follow(ours, lambda *_: None, lambda: True)


@pytest.mark.parametrize(("kept", "same"), [("r_abcdefABCDEF", True), ("broken", False)])
def test_a_system_id_is_kept_when_it_is_one(tmp_path: Path, kept: str, same: bool) -> None:
    path = tmp_path / ".runner_system_id"
    path.write_text(kept)
    assert (systemid.load(tmp_path / "config.toml") == kept) is same
    assert systemid.load(tmp_path / "config.toml") == path.read_text()


def test_a_system_id_follows_from_the_machine() -> None:
    assert systemid.generate("abc") == systemid.generate("abc")
    assert systemid.generate("abc").startswith("s_")
    assert systemid.generate("").startswith("r_")
