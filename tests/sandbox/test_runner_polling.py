"""When the stand-in runner polls, and the words between it and the server."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest

from sandbox.runner.config import system_id
from sandbox.runner.polling.daemon import due
from sandbox.runner.polling.slots import Slots
from sandbox.runner.server.runner_api import RunnerApi
from sandbox.runner.table import Table
from tests.sandbox.gitlab_client import running, until_polled
from tests.sandbox.runner_stub import stub

RUNNER = Table(url="http://x/", token="glrt-abcdefghijk")
OTHER = Table(token="glrt-other0000000")
SYSTEM = "r_000000000000"


def test_concurrent_bounds_all_runners_together() -> None:
    slots = Slots()
    assert (slots.take(RUNNER, 2), slots.take(OTHER, 2)) == (0, 1)
    slots.answered(RUNNER, True)
    assert slots.take(RUNNER, 2) is None
    slots.free(OTHER, 1)
    assert slots.take(RUNNER, 2) == 1


def test_limit_bounds_one_runner_and_requests_go_one_at_a_time() -> None:
    slots = Slots()
    limited = Table({**RUNNER, "limit": 1})
    assert slots.take(limited, 9) == 0
    slots.answered(limited, True)
    assert slots.take(limited, 9) is None
    slots.free(limited, 0)
    assert slots.take(RUNNER, 9) == 0
    assert slots.take(RUNNER, 9) is None


def test_after_three_refusals_a_runner_is_left_alone_until_a_reload() -> None:
    slots = Slots()
    for healthy in (False, False, True, False, False, False):
        slot = slots.take(RUNNER, 1)
        assert slot == 0
        slots.answered(RUNNER, healthy)
        slots.free(RUNNER, slot)
    assert slots.take(RUNNER, 1) is None
    slots.forgive()
    assert slots.take(RUNNER, 1) == 0


def test_the_queue_value_is_echoed(tmp_path: Path) -> None:
    with stub(request=(204, None)) as server:
        api = RunnerApi(Table({**RUNNER, "url": server.url}), tmp_path / "config.toml")
        assert api.request_job(SYSTEM) == (None, True)
        api.request_job(SYSTEM)
    assert "last_update" not in server.requests[0][1]
    assert server.requests[1][1]["last_update"] == "seen"


@pytest.mark.parametrize(
    ("status", "healthy"), [(204, True), (403, False), (409, True), (422, True)]
)
def test_only_a_refusal_is_unhealthy(tmp_path: Path, status: int, healthy: bool) -> None:
    with stub(request=(status, None)) as server:
        api = RunnerApi(Table({**RUNNER, "url": server.url}), tmp_path / "config.toml")
        assert api.request_job(SYSTEM) == (None, healthy)


def test_a_request_that_was_stopped_is_not_sent(tmp_path: Path) -> None:
    with stub(request=(204, None)) as server:
        api = RunnerApi(Table({**RUNNER, "url": server.url}), tmp_path / "config.toml")
        api.client.stop()
        assert api.request_job(SYSTEM) == (None, True)
    assert server.requests == []


def test_a_stop_is_heeded_also_while_a_request_connects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stub(request=(204, None)) as server:
        api = RunnerApi(Table({**RUNNER, "url": server.url}), tmp_path / "config.toml")
        connect = HTTPConnection.connect

        def stopped(connection: HTTPConnection) -> None:
            api.client.stop()
            connect(connection)

        monkeypatch.setattr(HTTPConnection, "connect", stopped)
        assert api.request_job(SYSTEM) == (None, True)
    assert server.requests == []


def test_a_stop_that_meets_the_end_of_a_request_does_not_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The socket was closed meanwhile: a stop that failed would end the manager, and its jobs with it."""
    with stub(request=(204, None)) as server:
        api = RunnerApi(Table({**RUNNER, "url": server.url}), tmp_path / "config.toml")
        failures: list[OSError] = []

        def closed(connection: HTTPConnection) -> None:
            connection.sock.close()
            try:
                api.client.stop()
            except OSError as error:
                failures.append(error)
            raise ConnectionResetError

        monkeypatch.setattr(HTTPConnection, "getresponse", closed)
        assert api.request_job(SYSTEM) == (None, True)
    assert failures == []


def test_a_held_request_is_cut_and_the_job_that_comes_then_is_not_lost(tmp_path: Path) -> None:
    with running() as gitlab:
        runner = Table(url=gitlab.server.state.url, token=gitlab.created()["token"])
        api = RunnerApi(runner, tmp_path / "config.toml")
        api.request_job(SYSTEM)
        with ThreadPoolExecutor() as pool:
            held = pool.submit(api.request_job, SYSTEM)
            until_polled(gitlab, 2)
            api.client.stop()
            assert held.result(10) == (None, True)
        number = gitlab.queue()
        assert gitlab.poll(runner.text("token")).json["id"] == number


def test_a_token_is_due_for_a_new_one_after_three_quarters_of_its_life() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    runner = Table(token_obtained_at=start, token_expires_at=start + timedelta(hours=4))
    assert not due(runner, start + timedelta(hours=2, minutes=59))
    assert due(runner, start + timedelta(hours=3))
    assert not due(Table(token_obtained_at=start), start + timedelta(days=999))
    off = Table({**runner, "feature_flags": Table(FF_DISABLE_AUTOMATIC_TOKEN_ROTATION=True)})
    assert not due(off, start + timedelta(hours=3))


@pytest.mark.parametrize(("kept", "same"), [("r_abcdefABCDEF", True), ("broken", False)])
def test_a_system_id_is_kept_when_it_is_one(tmp_path: Path, kept: str, same: bool) -> None:
    path = tmp_path / ".runner_system_id"
    path.write_text(kept)
    assert (system_id.load(tmp_path / "config.toml") == kept) is same
    assert system_id.load(tmp_path / "config.toml") == path.read_text()


def test_a_system_id_follows_from_the_machine() -> None:
    assert system_id.generate("abc") == system_id.generate("abc")
    assert system_id.generate("abc").startswith("s_")
    assert system_id.generate("").startswith("r_")
